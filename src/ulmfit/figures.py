"""A classifier's figures as a person reads them, in a sentence, by kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]


def tested(kind: str, figures: Figures) -> str:
    """The figures of `evaluate`, the main one first."""
    rows = f"on {figures['n']:,} rows"
    if kind == "multi":
        whole = _share("all labels right", figures, "subset_accuracy")
        f1 = f"micro F1 {figures['micro_f1']:.4f}, macro F1 {figures['macro_f1']:.4f}"
        return f"{f1}, {whole} {rows}"
    if kind == "real":
        return (
            f"mean error {figures['mae']:.4g}, root mean square {figures['rmse']:.4g}, "
            f"R2 {figures['r2']:.4f}, Spearman {figures['spearman']:.4f} {rows}"
        )
    accuracy = f"{_share('accuracy', figures, 'accuracy')} {rows}"
    if kind == "ordinal":
        kappa = f"quadratic kappa {figures['quadratic_kappa']:.4f}"
        return f"{accuracy}, {figures['mae']:.4f} ranks off on average, {kappa}"
    return accuracy


def held_out(kind: str, figures: Figures) -> str:
    """The figures of the rows that chose the best epoch."""
    if kind == "multi":
        return f"micro F1 {figures['micro_f1']:.4f}"
    if kind == "real":
        return f"mean error {figures['mae']:.4g}"
    accuracy = f"accuracy {figures['accuracy']:.2%}"
    if kind == "ordinal":
        return f"{accuracy}, {figures['mae']:.4f} ranks off on average"
    return accuracy


def compared(beside: Figures) -> str:
    """The model and the baseline on the same rows: the fields of `report.Beside`."""
    low, high = beside["gap_ci"]
    if beside["metric"] == "mae":
        name, show, unit, by, digits = "mean error", "{:.4g}", "", 1, "+.4g"
    else:
        name = "micro F1" if beside["metric"] == "micro_f1" else "accuracy"
        show, unit, by, digits = "{:.2%}", " points", 100, "+.1f"
    both = f"TF-IDF {show.format(beside['baseline'])}, the model {show.format(beside['model'])}"
    gap, *ends = (format(by * value, digits) for value in (beside["gap"], low, high))
    told = f"{gap}{unit}, 95%: {' to '.join(ends)}"
    return f"{name} of {both} on the same {beside['rows']:,} rows: {beside['verdict']} it ({told})"


def calibrated(calibration: Figures) -> str:
    """The temperature and what it does to the calibration error."""
    return (
        f"temperature {calibration['temperature']:.3f}: calibration error "
        f"{calibration['error_before']:.4f} without, {calibration['error_after']:.4f} with it"
    )


def abstained(abstaining: Figures) -> str:
    """What remains where the unsure answers are left open."""
    told = f"answers {abstaining['coverage']:.1%} of the rows (confidence from "
    told += f"{abstaining['below']:.2f})"
    if abstaining["accuracy"] is None:
        return told
    return f"{told}, {abstaining['accuracy']:.2%} of them right"


def _share(name: str, figures: Figures, key: str) -> str:
    low, high = figures[f"{key}_ci"]
    return f"{name} {figures[key]:.2%} (95%: {low:.2%} to {high:.2%})"
