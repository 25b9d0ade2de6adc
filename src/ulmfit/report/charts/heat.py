"""Who is taken for whom: the confusion matrix as a map of shades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.report.charts.frame import WIDTH, breadth, chart, label, name
from ulmfit.report.markup import Markup, element, join, shortened
from ulmfit.report.numbers import percent

ROOM, HIGHEST, LARGEST = 96.0, 84.0, 64.0
MOST = 60  # classes that can still be seen
NAMED = 16  # classes whose names and counts have room
FAINTEST = 0.08
TOLD = 40  # characters of a name in a tooltip


def heat(
    key: str, title: str, description: str, names: Sequence[str], counts: Sequence[Sequence[int]]
) -> Markup:
    """One row a true class, one column a predicted one; the shade is the share of the row.

    Args:
        key: unique on the page.
        title: for those who cannot see it.
        description: likewise.
        names: of the classes, at most `MOST`; they are written where there are at most `NAMED`.
        counts: [true class][predicted class].
    """
    paper = _paper(names)
    cells = [
        _cell(names, counts, true, given, paper)
        for true in range(len(names))
        for given in range(len(names))
        if counts[true][given] or true == given
    ]
    bottom = paper.top + paper.side * len(names)
    middle = paper.left + paper.side * len(names) / 2
    drawn = _names(names, paper) if paper.written else []
    across = label(middle, 12, "predicted", "middle", "caption")
    return chart(key, title, description, bottom + 6, across, _down(paper, bottom), *drawn, *cells)


@dataclass(frozen=True)
class _Paper:
    """Where the first cell begins, how large each is, whether names and counts are written."""

    left: float
    top: float
    side: float
    upright: bool
    """the names of the columns"""
    written: bool


def _paper(names: Sequence[str]) -> _Paper:
    if len(names) > NAMED:
        return _Paper(20.0, 20.0, (WIDTH - 24) / len(names), False, False)
    widest = max(breadth(" ".join(n.split())) for n in names)
    left = 28 + min(widest, ROOM)
    side = min(LARGEST, (WIDTH - left - 4) / len(names))
    upright = widest > side - 4
    return _Paper(left, 28 + (min(widest, HIGHEST) if upright else 12), side, upright, True)


def _down(paper: _Paper, bottom: float) -> Markup:
    turned = f"translate(10 {(paper.top + bottom) / 2:g}) rotate(-90)"
    return element("text", "true", text_anchor="middle", class_="caption", transform=turned)


def _names(names: Sequence[str], paper: _Paper) -> list[Markup]:
    drawn = []
    for i, shown in enumerate(names):
        middle = (i + 0.5) * paper.side
        drawn.append(name(paper.left - 8, paper.top + middle + 4, shown, paper.left - 26))
        x, y = paper.left + middle, paper.top - 7
        if paper.upright:
            turned = f"translate({x + 4:g} {y:g}) rotate(-90)"
            column = element("g", name(0, 0, shown, HIGHEST, "start"), transform=turned)
        else:
            column = name(x, y, shown, paper.side, "middle")
        drawn.append(column)
    return drawn


def _cell(
    names: Sequence[str],
    counts: Sequence[Sequence[int]],
    true: int,
    given: int,
    paper: _Paper,
) -> Markup:
    count, of = counts[true][given], sum(counts[true])
    share = count / of if of else 0.0
    x, y, side = paper.left + given * paper.side, paper.top + true * paper.side, paper.side
    was, became = shortened(names[true], TOLD), shortened(names[given], TOLD)
    tooltip = f"{was} taken for {became}: {count:,} of {of:,} ({percent(share)})"
    style = "right" if true == given else "wrong"
    air = 1.0 if paper.written else 0.0
    square = element(
        "rect",
        element("title", tooltip),
        x=x + air,
        y=y + air,
        width=side - 2 * air,
        height=side - 2 * air,
        class_=f"cell {style}",
        fill_opacity=max(FAINTEST, share),
    )
    if not paper.written or not count:
        return square
    strong = " strong" if share > 0.55 else ""
    number = f"{count:,}" if count < 10_000 else f"{count / 1000:.0f}k"
    return join(square, label(x + side / 2, y + side / 2 + 4, number, "middle", f"count{strong}"))
