"""WikiText's `.tokens` files (Merity et al. 2017): articles, with the tokenisation undone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source

_TITLE = re.compile(r"= [^=].* =")  # a section's heading has `= =`
_TO_THE_LEFT = frozenset([",", ".", ";", ":", "!", "?", "%", ")", "]", "}", "°", "…", "..."])
_TO_THE_RIGHT = frozenset(["(", "[", "{", "$", "£", "€", "¥", "#"])
_TO_BOTH = {"@-@": "-", "@,@": ",", "@.@": ".", "/": "/"}
_BETWEEN_FIGURES = frozenset(["–", ":", "−"])
_CONTRACTION = re.compile(r"'\w")


def open_tokens(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A `.tokens` file, one row an article.

    `fields["tokens"]` is the article's share of the file's own tokens as Merity et al. count
    them (words, and one `<eos>` a line): over a file they add up to the published number. The
    article's text keeps the heading marks and `<unk>`, since those tokens are counted.
    """
    names = ("title", "text", "tokens")
    columns = choose_columns(names, text, label, str(path))
    return Source(path, "tokens", names, columns, lambda: _records(path))


def count_tokens(lines: Sequence[str]) -> int:
    """Words between spaces, and one `<eos>` a line (Merity et al. 2017, the released reader)."""
    return sum(len(line.split()) + 1 for line in lines)


def _records(path: Path) -> Iterator[Record | BadRow]:
    for start, article in _articles(Lines(path)):
        complaint = next((line.complaint for line in article if line.complaint), None)
        raw = [line.text for line in article]
        if complaint is not None:
            yield BadRow(complaint)
        elif text := "\n".join(map(undo_tokenisation, raw)).strip():
            title = text.split("\n", 1)[0].strip("= ")
            fields: dict[str, object] = {"title": title, "text": text, "tokens": count_tokens(raw)}
            yield Record(fields, str(path), start)


class _Line(NamedTuple):
    text: str
    complaint: str | None

    def is_title(self) -> bool:
        return _TITLE.fullmatch(self.text.strip()) is not None


def _articles(lines: Lines) -> Iterator[tuple[int, list[_Line]]]:
    """Articles, and the line each begins on; the first takes all that is before its title.

    A title stands between blank lines: without that, the formula ` = 1 rad / s = ` is one.
    """
    article: list[_Line] = []
    start, titled = 1, False
    for text in lines:
        if text.isspace() and article and article[-1].is_title():
            if titled and (len(article) == 1 or article[-2].text.isspace()):
                yield start, article[:-1]
                article, start = article[-1:], lines.number - 1
            titled = True
        article.append(_Line(text, lines.complaint()))
    if article:
        yield start, article


def undo_tokenisation(line: str) -> str:
    """A line of WikiText as it would be written: `3 @.@ 5 m ( 11 ft )` is `3.5 m (11 ft)`.

    Quotes open and close by turns within the line. Every character stays but spaces and the
    `@` marks.
    """
    words = line.split()
    out: list[str] = []
    glue = True  # the next word stands against the one before
    open_quotes: set[str] = set()
    for i, word in enumerate(words):
        left, right = _sides(words, i, open_quotes)
        if not (glue or left):
            out.append(" ")
        out.append(_TO_BOTH.get(word, word))
        glue = right
    return "".join(out)


def _sides(words: Sequence[str], i: int, open_quotes: set[str]) -> tuple[bool, bool]:
    """Whether word i stands against the word before it, and against the one after."""
    word = words[i]
    if word.isalnum():
        return False, False
    if word in _TO_BOTH:
        return True, True
    if word in _BETWEEN_FIGURES and _between_figures(words, i):
        return True, True
    if word in ('"', "'"):
        return _quote(words, i, open_quotes)
    return word in _TO_THE_LEFT or _CONTRACTION.match(word) is not None, word in _TO_THE_RIGHT


def _between_figures(words: Sequence[str], i: int) -> bool:
    inside = 0 < i < len(words) - 1
    return inside and words[i - 1][-1].isdigit() and words[i + 1][0].isdigit()


def _quote(words: Sequence[str], i: int, open_quotes: set[str]) -> tuple[bool, bool]:
    word = words[i]
    if word in open_quotes:
        open_quotes.remove(word)
        return True, False
    if word == "'" and i and words[i - 1].endswith("s"):  # the players ' turns
        return True, False
    open_quotes.add(word)
    return False, True
