"""How unsure a model is of a text, from 0 (certain) to 1 (it could as well toss a coin)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.manifest import TargetConfig
from ulmfit.targets.kinds import Floats


def uncertainty(probabilities: Floats, target: TargetConfig) -> float:
    """Of one text: (classes,) -> 0 to 1.

    Single, ordinal: 1 less the margin between the two most probable classes (Scheffer, Decomain
    and Wrobel 2001, "Active hidden Markov models for information extraction"; Settles 2009,
    "Active learning literature survey", sec. 3.1). Multi: of the class nearest to its threshold,
    1 at the threshold and 0 where the class is certain.
    """
    if target.kind == "multi":
        return float(1 - _away(probabilities, target).min())
    least, most = np.sort(probabilities)[-2:]
    return float(1 - (most - least))


def reason(probabilities: Floats, labels: Sequence[str], target: TargetConfig) -> str:
    """What the model wavers between, for a person: "HUM 0.41 or LOC 0.39"."""
    if target.kind == "multi":
        first = int(_away(probabilities, target).argmin())
        return f"{labels[first]} {probabilities[first]:.2f} or not"
    first, second = (int(i) for i in np.argsort(-probabilities, kind="stable")[:2])
    return " or ".join(f"{labels[i]} {probabilities[i]:.2f}" for i in (first, second))


def _away(probabilities: Floats, target: TargetConfig) -> Floats:
    """How far each class is from its threshold, as a share of the way to certainty."""
    borders = np.array(target.thresholds or [0.5] * len(probabilities))
    widest = np.where(probabilities < borders, borders, 1 - borders)
    share: Floats = np.abs(probabilities - borders) / np.maximum(widest, 1e-12)
    return share
