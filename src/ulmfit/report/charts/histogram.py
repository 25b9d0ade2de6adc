"""How many rows have which size, of several sets at once: outlines over common steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulmfit.report.charts.frame import WIDTH, chart, horizontal_axis, polyline, vertical_axis
from ulmfit.report.charts.scale import Scale
from ulmfit.report.markup import Markup
from ulmfit.report.numbers import percent

LEFT, TOP, BOTTOM = 48.0, 12.0, 180.0
STEPS = 24


@dataclass(frozen=True)
class Sizes:
    """The sizes of a set's rows."""

    values: NDArray[np.float64]
    style: str


def histogram(
    key: str,
    title: str,
    description: str,
    sets: Sequence[Sizes],
    caption: str,
    *,
    log: bool = False,
    counts: bool = False,
) -> Markup:
    """The share of each set's rows in each step of the axis.

    Args:
        key: unique on the page.
        title: for those who cannot see it.
        description: likewise.
        sets: each with at least one value; above 0 where `log`.
        caption: what the axis counts.
        log: of that axis.
        counts: the values are whole numbers, so that each step holds as many of them.
    """
    every = np.concatenate([s.values for s in sets])
    edges = _edges(float(every.min()), float(every.max()), log, counts)
    shares = [np.histogram(s.values, edges)[0] / len(s.values) for s in sets]
    x = Scale(float(edges[0]), float(edges[-1]), LEFT, WIDTH - 12, log)
    y = Scale(0.0, max(float(s.max()) for s in shares) * 1.06, BOTTOM, TOP)
    digits = 0 if y.high > 0.05 else 1
    return chart(
        key,
        title,
        description,
        BOTTOM + 38,
        vertical_axis(y, LEFT, x.end, lambda v: percent(v, digits), 4),
        horizontal_axis(x, BOTTOM, None, caption),
        *(
            polyline(_outline(edges, share, x, y), f"line outline {s.style}")
            for s, share in zip(sets, shares, strict=True)
        ),
    )


def _edges(low: float, high: float, log: bool, counts: bool) -> NDArray[np.float64]:
    if log:
        edges = np.geomspace(low, max(high * 1.001, low * 1.5), STEPS + 1)
        return np.unique(np.ceil(edges)) - 0.5 if counts else edges
    if counts:
        step = max(1, math.ceil((high - low + 1) / STEPS))
        return np.arange(low, high + step + 0.5, step) - 0.5
    return np.linspace(low, high if high > low else low + 1.0, STEPS + 1)


def _outline(
    edges: NDArray[np.float64], shares: NDArray[np.float64], x: Scale, y: Scale
) -> list[tuple[float, float]]:
    points = [(x(float(edges[0])), y(0.0))]
    for low, high, share in zip(edges, edges[1:], shares, strict=False):
        points += [(x(float(low)), y(float(share))), (x(float(high)), y(float(share)))]
    return [*points, (x(float(edges[-1])), y(0.0))]
