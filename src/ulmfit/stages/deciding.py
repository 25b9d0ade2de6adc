"""After training: what the held-out texts say of temperature, thresholds and abstaining."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ulmfit.errors import InputError
from ulmfit.manifest import TargetConfig
from ulmfit.metrics import (
    accuracy,
    coverage_curve,
    expected_calibration_error,
    mean_steps,
    micro_f1,
    sets_calibration_error,
)
from ulmfit.targets.answers import nats, probabilities, values
from ulmfit.targets.calibration import fit_temperature
from ulmfit.targets.decisions import choose_thresholds, confidence, decide, right, sure_enough
from ulmfit.targets.kinds import Floats, Kind, Labels


@dataclass(frozen=True)
class Policy:
    """What is chosen on the held-out texts once training is over."""

    calibrate: bool = False
    """divide the logits by a temperature that makes the probabilities honest"""
    abstain_below: float | None = None
    """leave open what is less probable to be right"""
    coverage: float | None = None
    """choose that border so that this share of the held-out texts is answered"""

    def check(self, kind: Kind) -> None:
        """Raise InputError for what is out of range, or makes no sense with this kind."""
        if self.abstain_below is not None and self.coverage is not None:
            raise InputError("abstain-below and coverage both draw the same border; give one")
        if self.abstain_below is not None and not 0 <= self.abstain_below <= 1:
            raise InputError(f"abstain below {self.abstain_below}: a number from 0 to 1 is needed")
        if self.coverage is not None and not 0 < self.coverage <= 1:
            raise InputError(f"coverage {self.coverage}: it must be above 0, and at most 1")
        if kind == "real" and (self.abstain_below, self.coverage) != (None, None):
            raise InputError(
                "a real-valued target has no probabilities to abstain by; leave out "
                "abstain-below and coverage"
            )


def figures(
    logits: Floats, labels: Labels, target: TargetConfig, weights: Floats | None = None
) -> dict[str, float]:
    """How good held-out answers are.

    Args:
        logits: (texts, directions, outputs).
        labels: as `targets.kinds`.
        target: the kind, and what was chosen so far.
        weights: of the loss; the other figures count all texts alike.

    Returns:
        `loss` (nats; of real values the squared error, 1 being that of the mean), and by kind
        `accuracy`, `micro_f1`, `accuracy` and `mae` (ranks), `mae` (the values' units).
    """
    told = {"loss": float(_losses(logits, labels, target, weights).mean())}
    if target.kind == "real":
        given = values(logits, target.mean, target.scale)
        return told | {"mae": float(np.abs(given - labels).mean())}
    rows = probabilities(logits, target.kind, target.temperature)
    answers = decide(rows, target.kind, target.thresholds)
    if target.kind == "multi":
        return told | {"micro_f1": micro_f1(labels, answers)}
    told |= {"accuracy": accuracy(labels, answers)}
    return told if target.kind == "single" else told | {"mae": mean_steps(labels, answers)}


def epoch_figures(
    logits: Floats,
    labels: Labels,
    target: TargetConfig,
    policy: Policy,
    weights: Floats | None = None,
) -> dict[str, float]:
    """`figures`, and what an epoch is kept by.

    `final_loss` is the loss of the model as it would be delivered: with the temperature that the
    policy asks for. Without one, an epoch that knows more and is too sure of it looks worse than
    an early one (LOG, "Which epoch to keep"). `standard_error` is that of this mean.

    Args: as `figures`; policy: what is chosen once training is over.
    """
    told = figures(logits, labels, target, weights)
    if policy.calibrate and target.kind != "real":
        temperature = fit_temperature(logits, labels, target.kind)
        target = target.model_copy(update={"temperature": temperature})
    losses = _losses(logits, labels, target, weights)
    return told | {"final_loss": float(losses.mean()), "standard_error": _standard_error(losses)}


def _losses(logits: Floats, labels: Labels, target: TargetConfig, weights: Floats | None) -> Floats:
    """(texts,) the weighted loss of each."""
    if target.kind == "real":
        losses = ((values(logits, target.mean, target.scale) - labels) / target.scale) ** 2
    else:
        losses = nats(probabilities(logits, target.kind, target.temperature), labels, target.kind)
    if weights is not None:
        losses = losses * (weights if weights.ndim == losses.ndim else weights[:, None])
    each: Floats = losses.reshape(len(losses), -1).mean(1)
    return each


def _standard_error(losses: Floats) -> float:
    """Of the mean of (texts,) losses; 0 of a single one."""
    return float(losses.std(ddof=1)) / math.sqrt(len(losses)) if len(losses) > 1 else 0.0


def chosen(
    logits: Floats, labels: Labels, target: TargetConfig, policy: Policy
) -> tuple[TargetConfig, dict[str, Any]]:
    """The target with all that the held-out texts decide, and what there is to tell of it.

    The figures are of the texts that decided: those of a test set will be a little worse.

    Args:
        logits: (texts, directions, outputs), of texts that were not learned from.
        labels: as `targets.kinds`.
        target: the kind.
        policy: what to choose.
    """
    if target.kind == "real":
        return target, {}
    told: dict[str, Any] = {}
    if policy.calibrate:
        temperature = fit_temperature(logits, labels, target.kind)
        told["calibration"] = calibration(logits, labels, target.kind, temperature)
        target = target.model_copy(update={"temperature": temperature})
    rows = probabilities(logits, target.kind, target.temperature)
    if target.kind == "multi":
        target = target.model_copy(update={"thresholds": choose_thresholds(rows, labels)})
    answers = decide(rows, target.kind, target.thresholds)
    sure = confidence(rows, answers, target.kind)
    told["coverage"] = [asdict(p) for p in coverage_curve(sure, right(answers, labels))]
    least = policy.abstain_below
    if policy.coverage is not None:
        least = sure_enough(sure, policy.coverage)
    return target.model_copy(update={"abstain_below": least}), told


ALIKE = 1e-3
"""nats (of a real target: shares of its variance) that rounding may always cost"""


def in_int8(
    logits: Floats, rounded: Floats, labels: Labels, target: TargetConfig
) -> dict[str, Any]:
    """What reading in int8 changes on the held-out texts, and whether that is nothing.

    It is, as `alike` says, if the loss changes by less than a tenth of its standard error: of what
    other texts would change it by. It holds for a CPU that rounds as finely as this one, or finer
    (`model.fast_inference.int8_levels`).

    Args:
        logits: (texts, directions, outputs), as read in training.
        rounded: the same, read in int8.
        labels: as `targets.kinds`.
        target: the kind, and all that was chosen.
    """
    losses, others = (_losses(x, labels, target, None) for x in (logits, rounded))
    change = float(others.mean() - losses.mean())
    return {
        "loss_change": change,
        "alike": abs(change) <= max(ALIKE, _standard_error(losses) / 10),
    }


def calibration(logits: Floats, labels: Labels, kind: Kind, temperature: float) -> dict[str, Any]:
    """The temperature, with calibration error and loss before and after it."""
    told: dict[str, Any] = {"temperature": temperature, "rows": len(labels)}
    for name, value in (("before", 1.0), ("after", temperature)):
        rows = probabilities(logits, kind, value)
        told[f"error_{name}"] = calibration_error(rows, labels, kind)
        told[f"loss_{name}"] = float(nats(rows, labels, kind).mean())
    return told


def calibration_error(rows: Floats, labels: Labels, kind: Kind) -> float:
    """The expected calibration error of this kind's probabilities."""
    if kind == "multi":
        return sets_calibration_error(labels, rows)
    return expected_calibration_error(labels, rows, predicted=decide(rows, kind))
