"""A long text cut down to the parts that matter, and words of it marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ulmfit.explanations import Word
from ulmfit.report.markup import Markup, element, join, text

LONGEST = 700  # characters shown whole
AROUND = 90  # characters kept on each side of a word that matters
STRONGEST = 6  # words that a long text is cut around
LEAST = 0.15  # of the strongest score: weaker words are not marked
MARKED = 14  # words at most


def marked(whole: str, words: Sequence[Word]) -> Markup:
    """The text, or the parts of it that matter, with the words that moved the answer marked."""
    strongest = max((abs(word.score) for word in words), default=0.0)
    first = sorted(words, key=lambda word: -abs(word.score))[:MARKED]
    least = abs(first[-1].score) if first else 0.0
    moved = [w for w in words if strongest and abs(w.score) >= max(least, LEAST * strongest)]
    pieces = [_piece(whole, begin, end, moved, strongest) for begin, end in spans(whole, moved)]
    ends = element("span", " … ", class_="cut")
    inside: list[Markup] = []
    for number, (piece, (begin, _)) in enumerate(zip(pieces, spans(whole, moved), strict=True)):
        inside += [ends, piece] if number or begin else [piece]
    if pieces and spans(whole, moved)[-1][1] < len(whole):
        inside.append(ends)
    return element("p", *inside, class_="quote", dir="auto")


def spans(whole: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Which characters to show: all of a short text, else those around the strongest words."""
    if len(whole) <= LONGEST:
        return [(0, len(whole))]
    strongest = sorted(words, key=lambda word: -abs(word.score))[:STRONGEST]
    around = sorted((word.start, word.end) for word in strongest)
    if not around:
        return [(0, _word_end(whole, LONGEST // 2))]
    merged: list[tuple[int, int]] = []
    for start, end in around:
        begin = _word_begin(whole, max(0, start - AROUND))
        stop = _word_end(whole, min(len(whole), end + AROUND, start + 3 * AROUND))
        if merged and begin <= merged[-1][1] + AROUND // 3:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((begin, stop))
    return merged


def _word_begin(whole: str, at: int) -> int:
    """The next beginning of a word, if it is not far."""
    if at == 0:
        return 0
    space = whole.find(" ", at, at + AROUND // 2)
    return at if space < 0 else space + 1


def _word_end(whole: str, at: int) -> int:
    if at >= len(whole):
        return len(whole)
    space = whole.rfind(" ", at - AROUND // 2, at)
    return at if space < 0 else space


def _piece(whole: str, begin: int, end: int, words: Sequence[Word], strongest: float) -> Markup:
    return join(*_runs(whole, begin, end, words, strongest))


def _runs(
    whole: str, begin: int, end: int, words: Sequence[Word], strongest: float
) -> Iterator[Markup]:
    at = begin
    for word in words:
        if word.start < at or word.end > end:
            continue
        yield text(whole[at : word.start])
        strength = round(100 * abs(word.score) / strongest)
        yield element(
            "mark",
            whole[word.start : word.end],
            class_="for" if word.score > 0 else "against",
            style=f"--strength:{strength}%",
            title=f"{word.score:+.2f}",
        )
        at = word.end
    yield text(whole[at:end])
