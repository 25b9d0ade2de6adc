"""What every chart has: its paper, its title for those who cannot see it, axes and labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from ulmfit.report.charts.scale import Scale
from ulmfit.report.markup import Markup, element, join, shortened

WIDTH = 360.0
LETTER = 6.1  # units of width of a letter at the size of the labels, on average


def chart(key: str, title: str, description: str, height: float, *drawn: Markup | None) -> Markup:
    """An SVG that a screen reader reads as its title and description.

    Args:
        key: unique on the page.
        title: what is shown.
        description: what is seen in it, with the figures that matter.
        height: in units; the width is `WIDTH`.
        drawn: what is on it.
    """
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        *drawn,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_="chart",
    )


def label(x: float, y: float, shown: str, anchor: str = "start", class_: str = "tick") -> Markup:
    """A line of text whose base line is at `y`."""
    return element("text", shown, x=x, y=y, text_anchor=anchor, class_=class_)


def name(x: float, y: float, shown: str, room: float, anchor: str = "end") -> Markup:
    """A name of the user's, cut to the room there is; the whole of it is a tooltip."""
    fitted = fitting(shown, room)
    title = element("title", shortened(shown, 500)) if fitted != shown else None
    return element("text", title, fitted, x=x, y=y, text_anchor=anchor, class_="name")


def breadth(shown: str) -> float:
    """Units of width that a text takes, about: wide characters count twice, marks nothing."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in shown)
    marks = sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in shown)
    return LETTER * (len(shown) + wide - marks)


def fitting(shown: str, room: float) -> str:
    """As much of a text as fits, on one line."""
    line = " ".join(shown.split())
    if breadth(line) <= room:
        return line
    kept = ""
    for character in line:
        if breadth(kept + character) > room - LETTER:
            break
        kept += character
    return kept.rstrip() + "…"


def rule(x1: float, y1: float, x2: float, y2: float, class_: str = "grid") -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Points joined."""
    return element(
        "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_
    )


def vertical_axis(
    scale: Scale,
    left: float,
    right: float,
    written: Callable[[float], str] | None = None,
    most: int = 6,
) -> Markup:
    """Light rules over the chart with the values at the left."""
    shown = written or scale.plain(most)
    return join(
        *(
            rule(left, scale(v), right, scale(v)) + label(left - 6, scale(v) + 4, shown(v), "end")
            for v in scale.ticks(most)
        )
    )


def horizontal_axis(
    scale: Scale,
    bottom: float,
    written: Callable[[float], str] | None,
    caption: str,
    ticks: Sequence[float] | None = None,
) -> Markup:
    """A rule at the bottom, the values under it and what they are under these."""
    middle = (scale.begin + scale.end) / 2
    values = scale.ticks() if ticks is None else ticks
    shown = written or scale.plain()
    return join(
        rule(scale.begin, bottom, scale.end, bottom, "axis"),
        *(label(scale(v), bottom + 15, shown(v), "middle") for v in values),
        label(middle, bottom + 30, caption, "middle", "caption"),
    )


def spread(places: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Places moved apart until neighbours keep their distance, order kept, within the bounds."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    floor = low
    for i in order:
        moved[i] = max(moved[i], floor)
        floor = moved[i] + distance
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - distance
    return moved
