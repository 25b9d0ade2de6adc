"""Curves over a common horizontal axis, each named at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ulmfit.report.charts.frame import (
    WIDTH,
    breadth,
    chart,
    horizontal_axis,
    label,
    polyline,
    rule,
    spread,
    vertical_axis,
)
from ulmfit.report.charts.scale import Scale, widened
from ulmfit.report.markup import Markup, element, join

HEIGHT, TOP, BOTTOM, LEFT = 230.0, 24.0, 190.0, 48.0
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A curve; where a value is not finite (or not above 0 on a log scale) it is broken."""

    name: str
    points: Sequence[Point]
    style: str
    """class of the stylesheet"""
    dots: bool = False
    ringed: int | None = None
    """number of the point that is to be seen"""


@dataclass(frozen=True)
class Border:
    """A place on the horizontal axis where something begins."""

    at: float
    name: str


def lines(
    key: str,
    title: str,
    description: str,
    curves: Sequence[Line],
    caption: str,
    *,
    borders: Sequence[Border] = (),
    log: bool = False,
    horizontal: tuple[float, float] | None = None,
    written: Callable[[float], str] | None = None,
    below: Callable[[float], str] | None = None,
) -> Markup:
    """A chart of curves.

    Args:
        key: unique on the page.
        title: for those who cannot see it.
        description: likewise.
        curves: drawn in this order.
        caption: what the horizontal axis counts.
        borders: light upright rules with names at the top.
        log: of the upright axis.
        horizontal: range of that axis; None takes the points'.
        written: how the upright axis tells its values; None: plainly.
        below: how the horizontal one does.
    """
    seen = [p for curve in curves for p in curve.points if _shown(p[1], log)]
    room = max((breadth(curve.name) for curve in curves), default=0) + 12
    low, high = horizontal or (
        min((x for x, _ in seen), default=0.0),
        max((x for x, _ in seen), default=1.0),
    )
    x = Scale(low, high, LEFT, WIDTH - room)
    y = Scale(*widened([value for _, value in seen], log), BOTTOM, TOP, log)
    return chart(
        key,
        title,
        description,
        HEIGHT,
        vertical_axis(y, LEFT, x.end, written),
        *_borders(borders, x),
        horizontal_axis(x, BOTTOM, below, caption),
        *(_curve(curve, x, y) for curve in curves),
        _names(curves, x, y),
    )


def _shown(value: float, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)


def _borders(borders: Sequence[Border], x: Scale) -> Iterator[Markup]:
    """With the name where it has room before the next one, else with its last word, or nothing."""
    ends = [x(border.at) for border in borders[1:]] + [WIDTH]
    for border, end in zip(borders, ends, strict=False):
        at = x(border.at)
        yield rule(at, TOP, at, BOTTOM, "border")
        for shown in (border.name, border.name.split()[-1]):
            if 0.85 * breadth(shown) < end - at - 2:
                yield label(at + 2, TOP - 8, shown, class_="note")
                break


def _curve(curve: Line, x: Scale, y: Scale) -> Markup:
    pieces = [polyline(piece, f"line {curve.style}") for piece in _pieces(curve, x, y)]
    dots = [
        element("circle", cx=x(a), cy=y(b), r=2.6, class_=f"dot {curve.style}")
        for a, b in (curve.points if curve.dots else ())
        if _shown(b, y.log)
    ]
    if curve.ringed is not None:
        a, b = curve.points[curve.ringed]
        dots.append(element("circle", cx=x(a), cy=y(b), r=6.0, class_=f"ring {curve.style}"))
    return join(*pieces, *dots)


def _pieces(curve: Line, x: Scale, y: Scale) -> Iterator[list[Point]]:
    piece: list[Point] = []
    for a, b in curve.points:
        if _shown(b, y.log):
            piece.append((x(a), y(b)))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece if len(piece) > 1 else [piece[0], (piece[0][0] + 1.5, piece[0][1])]


def _names(curves: Sequence[Line], x: Scale, y: Scale) -> Markup:
    ends = [
        next((y(b) for _, b in reversed(curve.points) if _shown(b, y.log)), None)
        for curve in curves
    ]
    named = [(curve, end) for curve, end in zip(curves, ends, strict=True) if end is not None]
    places = spread([end for _, end in named], 13, TOP + 4, BOTTOM)
    return join(
        *(
            label(x.end + 7, place + 4, curve.name, class_=f"end {curve.style}")
            for (curve, _), place in zip(named, places, strict=True)
        )
    )
