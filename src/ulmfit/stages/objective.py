"""What a classifier's training minimises, chosen by kind of target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.manifest import TargetConfig
from ulmfit.model.losses import (
    Loss,
    binary_cross_entropy,
    continuation_ratio,
    cross_entropy,
    squared_error,
)
from ulmfit.targets.kinds import Floats, Kind, Labels
from ulmfit.targets.weighting import ClassWeights, check_class_weights, loss_weights

LossName = Literal["cross-entropy", "focal"]
MAKERS: dict[Kind, Callable[[float, float], Loss]] = {
    "single": cross_entropy,
    "multi": binary_cross_entropy,
    "ordinal": continuation_ratio,
}


@dataclass(frozen=True)
class Objective:
    """The loss and what weighs in it; real values know the squared error alone."""

    loss: LossName = "cross-entropy"
    focal_gamma: float = 2.0
    """exponent of the focal loss; 2 is the best of Lin et al. 2017, table 1b"""
    label_smoothing: float = 0.0
    """share of the target spread over all classes; Szegedy et al. 2016, sec. 7, take 0.1"""
    class_weights: ClassWeights = None

    def check(self, kind: Kind, names: Sequence[str]) -> None:
        """Raise InputError for what is out of range, or makes no sense with this kind."""
        if self.loss not in get_args(LossName):
            raise InputError(f"loss {self.loss!r}: choose one of {', '.join(get_args(LossName))}")
        if not 0 <= self.focal_gamma <= 100:
            raise InputError(f"focal gamma {self.focal_gamma}: a number from 0 to 100 is needed")
        if self.focal_gamma != Objective.focal_gamma and self.loss != "focal":
            raise InputError(
                f"focal gamma {self.focal_gamma:g} is of the focal loss; the loss is {self.loss}"
            )
        if not 0 <= self.label_smoothing < 1:
            raise InputError(
                f"label smoothing {self.label_smoothing}: it must be 0 or more, under 1"
            )
        if kind == "real" and (self.loss == "focal" or self.label_smoothing):
            raise InputError("a real-valued target knows no focal loss and no label smoothing")
        check_class_weights(self.class_weights, names, kind)

    def loss_of(self, kind: Kind) -> Loss:
        """The loss as a function of outputs, targets and weights."""
        if kind == "real":
            return squared_error()
        focus = self.focal_gamma if self.loss == "focal" else 0.0
        return MAKERS[kind](focus, self.label_smoothing)

    def weights(
        self, labels: Labels, names: Sequence[str], kind: Kind, texts: Floats | None
    ) -> Floats | None:
        """What each text (or text and class) weighs; see `targets.weighting.loss_weights`."""
        return loss_weights(labels, names, kind, self.class_weights, texts)


def new_target(labels: Labels, kind: Kind) -> TargetConfig:
    """A target of this kind, nothing chosen yet; real values are scaled by those learned from."""
    if kind == "real":
        spread = float(labels.std()) or 1.0
        return TargetConfig(kind=kind, mean=float(labels.mean()), scale=spread)
    return TargetConfig(kind=kind)


def learnable(labels: Labels, target: TargetConfig) -> NDArray[Any]:
    """Labels as the loss takes them: sets as 0.0 and 1.0, values with mean 0 and deviation 1."""
    if target.kind == "multi":
        return labels.astype(np.float32)
    if target.kind == "real":
        scaled: NDArray[Any] = ((labels - target.mean) / target.scale).astype(np.float32)
        return scaled
    return labels


def outset(labels: Labels, kind: Kind) -> Floats | None:
    """Outputs to begin with where classes are rare: each one's log-odds among the texts.

    So that the first epochs are not spent on learning that most classes are absent (Lin et al.
    2017, sec. 3.3). None: begin as drawn.
    """
    if kind != "multi":
        return None
    share = (labels.sum(0) + 1) / (len(labels) + 2)
    odds: Floats = np.log(share / (1 - share))
    return odds
