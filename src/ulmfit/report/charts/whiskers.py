"""A value with its interval in each row: a dot and a whisker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.report.charts.frame import WIDTH, chart, horizontal_axis, label, name, rule
from ulmfit.report.charts.scale import Scale
from ulmfit.report.markup import Markup, element, join
from ulmfit.report.numbers import percent

ROW, ROOM = 34.0, 116.0


@dataclass(frozen=True)
class Estimate:
    """A share of 1, and the interval that it stands in."""

    name: str
    share: float
    low: float
    high: float
    style: str


def whiskers(
    key: str, title: str, description: str, rows: Sequence[Estimate], caption: str
) -> Markup:
    """One row an estimate, on a common axis of percentages."""
    low = min(row.low for row in rows)
    x = Scale(max(0.0, low - 0.05) if low > 0.25 else 0.0, 1.0, ROOM, WIDTH - 12)
    bottom = 12 + ROW * len(rows)
    return chart(
        key,
        title,
        description,
        bottom + 38,
        *(rule(x(v), 8, x(v), bottom) for v in x.ticks()),
        horizontal_axis(x, bottom, lambda v: percent(v, 0), caption),
        *(_row(row, x, 12 + ROW * (i + 0.5)) for i, row in enumerate(rows)),
    )


def _row(row: Estimate, x: Scale, middle: float) -> Markup:
    near_end = x(row.share) > x.end - 20
    return join(
        name(ROOM - 12, middle + 4, row.name, ROOM - 14),
        rule(x(row.low), middle, x(row.high), middle, f"whisker {row.style}"),
        element("circle", cx=x(row.share), cy=middle, r=4.5, class_=f"dot {row.style}"),
        label(
            x.end if near_end else x(row.share),
            middle - 9,
            percent(row.share),
            "end" if near_end else "middle",
            "value",
        ),
    )


def small_whisker(share: float, low: float, high: float, style: str) -> Markup:
    """The same without words, from 0 to 1, for a cell of a table that tells the figures too."""
    x = Scale(0.0, 1.0, 4.0, 96.0)
    return element(
        "svg",
        rule(x(0), 8, x(1), 8, "grid"),
        rule(x(low), 8, x(high), 8, f"whisker {style}"),
        element("circle", cx=x(share), cy=8.0, r=3.6, class_=f"dot {style}"),
        viewBox="0 0 100 16",
        class_="spark",
        aria_hidden="true",
    )
