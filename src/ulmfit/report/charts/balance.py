"""How frequent each class is, in each set of rows: dots on one line a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.report.charts.frame import WIDTH, chart, horizontal_axis, name, rule
from ulmfit.report.charts.scale import Scale
from ulmfit.report.markup import Markup, element, join
from ulmfit.report.numbers import percent

ROW, ROOM = 22.0, 110.0


@dataclass(frozen=True)
class Frequency:
    """The share of a class in each set, in the sets' order."""

    name: str
    shares: Sequence[float]


def balance(
    key: str, title: str, description: str, rows: Sequence[Frequency], styles: Sequence[str]
) -> Markup:
    """One line a class, one dot a set; `styles` are the dots' classes of the stylesheet."""
    most = max(max(row.shares) for row in rows)
    x = Scale(0.0, most * 1.04 or 1.0, ROOM, WIDTH - 12)
    bottom = 6 + ROW * len(rows)
    return chart(
        key,
        title,
        description,
        bottom + 38,
        *(rule(x(v), 4, x(v), bottom) for v in x.ticks()),
        horizontal_axis(x, bottom, lambda v: percent(v, 0 if most > 0.05 else 1), "share of rows"),
        *(_row(row, x, 6 + ROW * (i + 0.5), styles) for i, row in enumerate(rows)),
    )


def _row(row: Frequency, x: Scale, middle: float, styles: Sequence[str]) -> Markup:
    dots = [
        element("circle", cx=x(share), cy=middle, r=4.2, class_=f"dot {style}")
        for share, style in zip(row.shares, styles, strict=True)
    ]
    return join(
        name(ROOM - 10, middle + 4, row.name, ROOM - 12),
        rule(x(min(row.shares)), middle, x(max(row.shares)), middle, "tie"),
        *dots,
    )
