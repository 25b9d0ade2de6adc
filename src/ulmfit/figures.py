"""A classifier's figures as a person reads them, in a sentence, by kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]
CHOSE = "; they also chose the model's epoch, which is kind to it"


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
    name = {"micro_f1": "micro F1", "mae": "mean error"}.get(beside["metric"], "accuracy")
    show, signed = (_value, _signed_value) if name == "mean error" else (_percent, _points)
    told = f"the model is {beside['verdict']} TF-IDF: {name} {show(beside['model'])} against "
    told += f"{show(beside['baseline'])} on the same {beside['rows']:,} {beside['of']} rows"
    sure = "too few rows for an interval"
    if beside["gap_ci"]:
        sure = "95%: " + " to ".join(map(signed, beside["gap_ci"]))
    unit = "" if name == "mean error" else " points"
    kind = CHOSE if beside["of"] == "validation" else ""
    return f"{told} ({signed(beside['gap'])}{unit}, {sure}){kind}"


def _percent(share: float) -> str:
    return f"{share:.2%}"


def _points(gap: float) -> str:
    return f"{round(100 * gap, 1) + 0.0:+.1f}"  # no -0.0


def _value(value: float) -> str:
    return f"{value:.4g}"


def _signed_value(value: float) -> str:
    return f"{value:+.4g}"


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
