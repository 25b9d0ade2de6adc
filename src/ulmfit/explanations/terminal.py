"""Explanations -> lines for a terminal, or for a file where there is none.

Signs that steer a terminal are replaced: a text cannot move the cursor, set colours or hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ulmfit.explanations.explanation import Explanation, Word
from ulmfit.explanations.html import CONTROL, answer

if TYPE_CHECKING:
    from rich.text import Text

FOR, AGAINST = "bright_blue", "dark_orange"
STRONG, FAINT = 0.5, 0.1  # shares of the strongest score: bold above the one, unmarked below other


def plain(explanation: Explanation, top: int = 8) -> list[str]:
    """The answer, the text with its `top` words as `{+for+}` and `[-against-]`, and a table."""
    marks = {True: ("{+", "+}"), False: ("[-", "-]")}
    strongest = set(explanation.top(top))
    written = ""
    for piece, word in _pieces(explanation):
        before, after = marks[word.score > 0] if word in strongest and word else ("", "")
        written += f"{before}{piece}{after}"
    return [_safe(answer(explanation)), *written.splitlines(), *_table(explanation, top)]


def coloured(explanation: Explanation, top: int = 8) -> Text:
    """The same with colours; `rich` leaves them out where they are not wanted."""
    from rich.text import Text

    strongest = max((abs(word.score) for word in explanation.words), default=0.0)
    written = Text(_safe(answer(explanation)) + "\n", style="bold")
    for piece, word in _pieces(explanation):
        share = word.score / strongest if word and strongest else 0.0
        written.append(piece, style=_style(share))
    written.append("\n" + "\n".join(_table(explanation, top)), style="not bold")
    return written


def _style(share: float) -> str:
    if abs(share) < FAINT:
        return "not bold"
    weight = "bold" if abs(share) > STRONG else "not bold"
    return f"{weight} {FOR}" if share > 0 else f"{weight} underline {AGAINST}"


def _pieces(explanation: Explanation) -> Iterator[tuple[str, Word | None]]:
    """The text in pieces: each word, and None with what stands between words."""
    end = 0
    for word in explanation.words:
        yield _safe(explanation.text[end : word.start]), None
        yield _safe(word.text), word
        end = word.end
    yield _safe(explanation.text[end:]), None


def _table(explanation: Explanation, top: int) -> list[str]:
    rows = explanation.top(top)
    if not rows:
        return ["no word moved the answer"]
    lines = [f"{'score':>7}  {'without it':>10}  word"]
    for word in rows:
        shown = " ".join(_safe(word.text).split())
        lines.append(f"{word.score:>+7.2f}  {_without(explanation, word):>10}  {shown}")
    return lines


def _without(explanation: Explanation, word: Word) -> str:
    """The answer to the text without a word."""
    if explanation.value is not None:
        return f"{explanation.value - word.score:.4g}"
    assert explanation.probability is not None
    return f"{probability_without(explanation.probability, word.score):.1%}"


def probability_without(probability: float, score: float) -> float:
    """What is left of a probability whose log-odds fall by `score`."""
    inside = float(np.clip(probability, 1e-16, 1 - 1e-16))
    return float(1 / (1 + np.exp(score - np.log(inside / (1 - inside)))))


def _safe(text: str) -> str:
    return CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))
