"""Is it right as often as it says? The reliability diagram of Guo et al. 2017, fig. 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.report.charts.frame import WIDTH, chart, horizontal_axis, rule, vertical_axis
from ulmfit.report.charts.scale import Scale
from ulmfit.report.markup import Markup, element, join
from ulmfit.report.numbers import percent

LEFT, TOP, BOTTOM, FOOT = 48.0, 12.0, 250.0, 300.0


@dataclass(frozen=True)
class Bin:
    """Answers that were about equally sure."""

    low: float
    high: float
    """of the probabilities: above `low`, up to `high`"""
    n: int
    sure: float
    """mean probability"""
    right: float
    """share that came true"""
    interval: tuple[float, float]
    """95%, of `right`"""


def reliability(
    key: str, title: str, description: str, bins: Sequence[Bin], caption: str
) -> Markup:
    """How often each bin came true against how probable it was called; below, how many are in it.

    A point on the diagonal is honest; below it the model is too sure of itself.
    """
    x = Scale(0.0, 1.0, LEFT, WIDTH - 14)
    y = Scale(0.0, 1.0, BOTTOM, TOP)
    most = max(b.n for b in bins)
    return chart(
        key,
        title,
        description,
        FOOT + 38,
        vertical_axis(y, LEFT, x.end, lambda v: percent(v, 0)),
        rule(x(0), y(0), x(1), y(1), "diagonal"),
        *(_count(b, x, most) for b in bins),
        horizontal_axis(x, FOOT, lambda v: percent(v, 0), caption),
        *(_point(b, x, y) for b in bins),
    )


def _point(b: Bin, x: Scale, y: Scale) -> Markup:
    at = x(b.sure)
    return join(
        rule(at, y(b.interval[0]), at, y(b.interval[1]), "whisker model"),
        element("circle", cx=at, cy=y(b.right), r=4.0, class_="dot model"),
    )


def _count(b: Bin, x: Scale, most: int) -> Markup:
    height = max(1.0, 38.0 * b.n / most)
    return element(
        "rect",
        element("title", f"{b.n:,} answers from {percent(b.low, 0)} to {percent(b.high, 0)}"),
        x=x(b.low) + 1,
        y=FOOT - height,
        width=x(b.high) - x(b.low) - 2,
        height=height,
        class_="bar quiet",
    )
