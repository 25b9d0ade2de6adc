"""The model and the baseline on the same rows, by the figure that comes first, and who is ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ulmfit.metrics import Z_95, micro_f1
from ulmfit.report.answers import Answered
from ulmfit.targets.kinds import Rows

DRAWS = 400  # bootstrap samples; Efron 1979
Ends = tuple[float, float]
Verdict = Literal["ahead of", "behind", "not told apart from"]


@dataclass(frozen=True)
class Beside:
    """The comparison."""

    metric: str
    """"accuracy", "micro_f1" or, of real values, "mae" """
    rows: int
    model: float
    baseline: float
    gap: float
    """the model's figure less the baseline's"""
    gap_ci: Ends
    """95%, row by row: both were asked the same"""
    verdict: Verdict
    """what the interval says of the model"""


def beside(model: Answered, baseline: Answered) -> Beside:
    """Compare the answers of both on one part."""
    rows = len(model.labels)
    if model.kind == "multi":
        mine, theirs = (micro_f1(a.labels, a.answers) for a in (model, baseline))
        ends = bootstrap(rows, lambda drawn: _f1_of(model, drawn) - _f1_of(baseline, drawn))
        return _beside("micro_f1", rows, mine, theirs, ends)
    if model.kind == "real":
        near, far = (np.abs(a.answers - a.labels) for a in (model, baseline))
        ends = bootstrap(rows, lambda drawn: float((near - far)[drawn].mean()))
        return _beside("mae", rows, float(near.mean()), float(far.mean()), ends)
    mine, theirs = float(model.right.mean()), float(baseline.right.mean())
    return _beside("accuracy", rows, mine, theirs, paired_interval(model, baseline))


def _beside(metric: str, rows: int, mine: float, theirs: float, ends: Ends) -> Beside:
    low, high = ends if metric != "mae" else (-ends[1], -ends[0])  # a distance: less is better
    verdict: Verdict = "ahead of" if low > 0 else "behind" if high < 0 else "not told apart from"
    return Beside(metric, rows, mine, theirs, mine - theirs, ends, verdict)


def bootstrap(rows: int, figure: Callable[[Rows], float]) -> Ends:
    """95% interval of a figure over resampled rows."""
    random = np.random.default_rng(0)
    found = [figure(random.integers(rows, size=rows)) for _ in range(DRAWS)]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _f1_of(answered: Answered, rows: Rows) -> float:
    return micro_f1(answered.labels[rows], answered.answers[rows])


def paired_interval(a: Answered, b: Answered) -> Ends:
    """95% interval of the difference of two accuracies on the same texts.

    Source: Agresti and Min 2005, "Simple improved confidence intervals for comparing matched
    proportions" (Wald's interval with half a pair added to each of the four cells).
    """
    n = len(a.right) + 2
    gained = float((a.right & ~b.right).sum()) + 0.5
    lost = float((b.right & ~a.right).sum()) + 0.5
    gap = (gained - lost) / n
    reach = Z_95 * float(np.sqrt(max(0.0, (gained + lost) / n - gap**2) / n))
    return gap - reach, gap + reach
