"""Two spellings of the same text -> the runs of letters they share, in order, in linear time."""

from __future__ import annotations

from collections.abc import Iterator

GRAM = 4  # letters that must agree where one goes on after a difference
WIDTHS = (32, 256, 2048)  # how far ahead to look for that; the longest tag a rule drops is 1,000
_END = "\0" * GRAM  # so that the two agree at their ends; no spelling has it


def equal_runs(a: str, b: str) -> Iterator[tuple[int, int, int]]:
    """(start in a, start in b, length) of runs that are equal, greedily from the left.

    >>> list(equal_runs("tom&ann", "tom&amp;ann"))
    [(0, 0, 5), (5, 9, 2)]
    """
    a, b = a + _END, b + _END
    i = j = 0
    while i < len(a) - GRAM and j < len(b) - GRAM:
        length = min(_common(a, i, b, j), len(a) - GRAM - i, len(b) - GRAM - j)
        if length:
            yield i, j, length
        i, j = _go_on(a, i + length, b, j + length)


def _common(a: str, i: int, b: str, j: int) -> int:
    """How many letters from here on are equal."""
    length, step = 0, 64
    most = min(len(a) - i, len(b) - j)
    while length < most and _equal(a, i + length, b, j + length, step):
        length, step = length + step, 2 * step
    while step := step // 2:
        if _equal(a, i + length, b, j + length, step):
            length += step
    return length


def _equal(a: str, i: int, b: str, j: int, length: int) -> bool:
    return len(piece := a[i : i + length]) == length and piece == b[j : j + length]


def _go_on(a: str, i: int, b: str, j: int) -> tuple[int, int]:
    """The nearest places from here on where the two agree again."""
    for width in WIDTHS:
        ahead: dict[str, int] = {}
        for skipped in range(width):
            ahead.setdefault(a[i + skipped : i + skipped + GRAM], skipped)
        best: tuple[int, int] | None = None
        for skipped in range(width):
            if best and skipped >= sum(best):
                break
            found = ahead.get(b[j + skipped : j + skipped + GRAM])
            if found is not None and (best is None or found + skipped < sum(best)):
                best = found, skipped
        if best:
            return i + best[0], j + best[1]
    return i + WIDTHS[-1], j + WIDTHS[-1]
