"""The model and the baseline on the same rows, by the figure that comes first, and who is ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student

from ulmfit.metrics import Z_95, micro_f1
from ulmfit.report.answers import Answered
from ulmfit.targets.kinds import Floats, Rows

DRAWS = 400  # bootstrap samples; Efron 1979
FEWEST = 10  # rows that are resampled: fewer say too little of what others would be
METRICS = {"single": "accuracy", "ordinal": "accuracy", "multi": "micro_f1", "real": "mae"}
Ends = tuple[float, float]
Verdict = Literal["ahead of", "behind", "not told apart from"]


@dataclass(frozen=True)
class Beside:
    """The comparison."""

    metric: str
    """"accuracy", "micro_f1" or, of real values, "mae" """
    of: str
    """the set of rows, such as "test" """
    rows: int
    model: float
    baseline: float
    gap: float
    """the model's figure less the baseline's"""
    gap_ci: Ends | None
    """95%, row by row: both were asked the same; None where the rows are too few for one"""
    verdict: Verdict
    """what the interval says of the model"""


def beside(model: Answered, baseline: Answered) -> Beside:
    """Compare the answers of both on one part."""
    rows, ends, metric = len(model.labels), None, METRICS[model.kind]
    if metric == "micro_f1":
        mine, theirs = (micro_f1(a.labels, a.answers) for a in (model, baseline))
        if rows >= FEWEST:
            ends = bootstrap(rows, lambda drawn: _f1_of(model, drawn) - _f1_of(baseline, drawn))
    elif metric == "mae":
        near, far = (np.abs(a.answers - a.labels) for a in (model, baseline))
        mine, theirs = float(near.mean()), float(far.mean())
        if rows >= 2:
            ends = _mean_interval(near - far)
    else:
        mine, theirs = float(model.right.mean()), float(baseline.right.mean())
        ends = paired_interval(model, baseline)
    gap, name = mine - theirs, model.part.name
    return Beside(metric, name, rows, mine, theirs, gap, ends, _verdict(metric, ends))


def _verdict(metric: str, ends: Ends | None) -> Verdict:
    if ends is None or ends[0] <= 0 <= ends[1]:
        return "not told apart from"
    return "ahead of" if (ends[0] > 0) == (metric != "mae") else "behind"  # less distance is better


def _mean_interval(values: Floats) -> Ends:
    """95% interval of a mean (Student's t)."""
    mean = float(values.mean())
    reach = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach


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
