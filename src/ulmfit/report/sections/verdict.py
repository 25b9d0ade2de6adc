"""Sentences on the model beside the baseline."""

from __future__ import annotations

from ulmfit.figures import CHOSE
from ulmfit.report.beside import Beside
from ulmfit.report.examination import Findings
from ulmfit.report.numbers import plural, points, signed_figure

LINEAR = {
    "accuracy": "logistic regression",
    "micro_f1": "logistic regression",
    "mae": "ridge regression",
}


def verdict(found: Beside) -> str:
    """Who is ahead, and by how much."""
    show = signed_figure if found.metric == "mae" else points
    ends = "too few rows for an interval"
    if found.gap_ci is not None:
        ends = f"95%: {show(found.gap_ci[0])} to {show(found.gap_ci[1])}"
    unit = {"mae": " in mean distance", "micro_f1": " points of micro F1"}
    gap = f"{show(found.gap)}{unit.get(found.metric, ' points')} ({ends})"
    told = f"The model is {found.verdict} TF-IDF with {LINEAR[found.metric]}: {gap}"
    told += f", text by text on the same {plural(found.rows, f'{found.of} row')}"
    return told + CHOSE * (found.of == "validation") + "."


def learning(found: Findings) -> str:
    """How the baseline came about."""
    kind, strength = found.bundle.target.kind, found.baseline_strength
    what = f"alpha = {1 / strength:g}" if kind == "real" else f"C = {strength:g}"
    if found.baseline_folded:
        also = " and the thresholds of the labels were" if kind == "multi" else " was"
        how = f"{also} chosen by cross-validation on them"
    else:
        how = " was not chosen: they are too few"
    told = f"The baseline learned from {plural(found.baseline_learned, 'row')}; its {what}{how}."
    return told + " It counts all rows alike, without the model's weights." * found.weighted
