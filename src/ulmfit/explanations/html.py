"""Explanations -> HTML: a fragment for a page that is there, or a page of its own.

Everything from the user's text is escaped, there is no script and nothing is loaded. Words that
speak for the label are blue, those against it orange and underlined with dots, so that nobody
needs to tell the colours apart; both read on light and on dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from ulmfit.explanations.explanation import Explanation, Word
from ulmfit.text.preparation import replace_surrogates

FOR, AGAINST = "37, 99, 235", "234, 88, 12"  # red, green, blue
DEEPEST = 0.55  # opacity behind the strongest word
FAINTEST = 0.04  # below, a word is not marked
#: No sign of a page: what HTML forbids, and what turns the direction of writing around.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.7 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }}
section {{ margin: 0 0 2.5rem; }}
h1 {{ font-size: 1.3rem; }}
h2 {{ font-size: 1.05rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }}
small {{ opacity: .75; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p><small>Words marked <mark style="{style_for}">blue</mark> {blue}, those marked
<mark style="{style_against}">orange, with dots,</mark> {orange}. The number behind a word
(hover) tells how far {falls} without it.</small></p>
{sections}
</body>
</html>
"""


_OF_LABELS = {
    "blue": "speak for the label",
    "orange": "against it",
    "falls": "the log-odds of the label fall",
}
_OF_VALUES = {
    "blue": "raise the value",
    "orange": "lower it",
    "falls": "the value falls",
}


def marked(explanation: Explanation) -> str:
    """The text as the user wrote it, its words marked: one `<p>`, for any page."""
    strongest = max((abs(word.score) for word in explanation.words), default=0.0)
    out = []
    end = 0
    for word in explanation.words:
        out.append(_safe(explanation.text[end : word.start]))
        out.append(_mark(word, strongest))
        end = word.end
    out.append(_safe(explanation.text[end:]))
    style = "white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate"
    return f'<p dir="auto" style="{style}">{"".join(out)}</p>'


def page(explanations: Iterable[Explanation], title: str = "Which words moved the answer") -> str:
    """A whole file: each explanation under its answer."""
    shown = list(explanations)
    sections = "\n".join(
        f"<section><h2>{_safe(answer(each))}</h2>\n{marked(each)}</section>" for each in shown
    )
    of_values = any(each.value is not None for each in shown)  # all are of one model
    return _PAGE.format(
        title=_safe(title),
        sections=sections,
        style_for=_style(0.5),
        style_against=_style(-0.5),
        **(_OF_VALUES if of_values else _OF_LABELS),
    )


def answer(explanation: Explanation) -> str:
    """The answer that is explained, in a line."""
    if explanation.value is not None:
        return f"{explanation.value:.6g}"
    told = f"{explanation.label}: {explanation.probability:.1%}"
    if explanation.label == explanation.predicted:
        return told
    return f"{told} (the answer is {explanation.predicted})"


def _mark(word: Word, strongest: float) -> str:
    share = word.score / strongest if strongest else 0.0
    if abs(share) < FAINTEST:
        return _safe(word.text)
    return f'<mark style="{_style(share)}" title="{word.score:+.3g}">{_safe(word.text)}</mark>'


def _style(share: float) -> str:
    """Of a word by its score, from -1 (against) to 1 (for)."""
    colour = f"rgba({FOR if share > 0 else AGAINST}, {abs(share) * DEEPEST:.2f})"
    dots = "; text-decoration: underline dotted" if share < 0 else ""
    return f"color: inherit; border-radius: 2px; background: {colour}{dots}"


def _safe(text: str) -> str:
    lines = replace_surrogates(text).replace("\r\n", "\n")
    return escape(CONTROL.sub("\ufffd", lines))
