"""Sentences on the model beside the baseline."""

from __future__ import annotations

from ulmfit.report.beside import Beside
from ulmfit.report.examination import Findings
from ulmfit.report.numbers import plural, points, signed

LINEAR = {
    "accuracy": "logistic regression",
    "micro_f1": "logistic regression",
    "mae": "ridge regression",
}


def verdict(found: Beside) -> str:
    """Who is ahead, and by how much."""
    low, high = found.gap_ci
    if found.metric == "mae":
        gap = (
            f"{signed(found.gap, 3)} (95%: {signed(low, 3)} to {signed(high, 3)}) in mean distance"
        )
    else:
        what = " of micro F1" if found.metric == "micro_f1" else ""
        gap = f"{points(found.gap)} points{what} (95%: {points(low)} to {points(high)})"
    linear = LINEAR[found.metric]
    return (
        f"The model is {found.verdict} TF-IDF with {linear}: {gap}, text by text on the same rows."
    )


def learning(found: Findings) -> str:
    """How the baseline came about."""
    kind = found.bundle.target.kind
    also = " and the threshold of each label were" if kind == "multi" else " was"
    told = (
        f"The baseline learned from {plural(found.baseline_learned, 'row')}; its C = "
        f"{found.baseline_strength:g}{also} chosen by cross-validation on them."
    )
    return told + " It counts all rows alike, without the model's weights." * found.weighted
