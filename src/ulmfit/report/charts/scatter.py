"""Predicted values against true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulmfit.report.charts.frame import WIDTH, chart, horizontal_axis, label, rule, vertical_axis
from ulmfit.report.charts.scale import Scale, widened
from ulmfit.report.markup import Markup, element

LEFT, TOP, BOTTOM = 52.0, 20.0, 270.0
MOST = 1000  # points


def scatter(
    key: str,
    title: str,
    description: str,
    truth: NDArray[np.float64],
    given: NDArray[np.float64],
) -> Markup:
    """A point a text, at most `MOST` of them evenly taken; right ones lie on the diagonal."""
    low, high = widened([float(v) for v in (truth.min(), truth.max(), given.min(), given.max())])
    x, y = Scale(low, high, LEFT, WIDTH - 12), Scale(low, high, BOTTOM, TOP)
    step = max(1, -(-len(truth) // MOST))
    points = zip(truth[::step], given[::step], strict=True)
    return chart(
        key,
        title,
        description,
        BOTTOM + 38,
        label(LEFT, 10, "predicted", class_="caption"),
        vertical_axis(y, LEFT, x.end),
        rule(x(low), y(low), x(high), y(high), "diagonal"),
        horizontal_axis(x, BOTTOM, None, "true value"),
        *(
            element("circle", cx=x(float(a)), cy=y(float(b)), r=2.4, class_="dot model faint")
            for a, b in points
        ),
    )
