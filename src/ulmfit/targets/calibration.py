"""One number that makes a model's probabilities honest: temperature scaling.

Source: Guo et al. 2017, "On calibration of modern neural networks", sec. 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ulmfit.targets.answers import nats, probabilities
from ulmfit.targets.kinds import Floats, Kind, Labels

CENTRE = 2.0  # of T, before any text was seen: models of few labels are too sure of themselves
SPREAD = 0.6  # of log T; both: LOG, "A temperature from few texts"
WIDEST = math.log(20.0)
PRECISION = 1e-4  # of log T
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(
    logits: Floats,
    labels: Labels,
    kind: Kind,
    centre: float = CENTRE,
    spread: float = SPREAD,
) -> float:
    """The temperature with the smallest loss on texts that were not learned from.

    A handful of texts may all be answered right, and then nothing bounds how sure a model should
    be: a log-normal prior does (maximum a posteriori; with many texts it is the maximum likelihood
    of the source).

    Args:
        logits: (texts, directions, outputs).
        labels: as `targets.kinds`.
        kind: "single", "multi" or "ordinal".
        centre: the temperature that is likeliest before any text was seen.
        spread: standard deviation of the prior on log T; infinity for none.
    """

    def loss(log_temperature: float) -> float:
        answers = probabilities(logits, kind, math.exp(log_temperature))
        off = (log_temperature - math.log(centre)) / spread
        return float(nats(answers, labels, kind).sum()) + off**2 / 2

    return math.exp(_lowest(loss, -WIDEST, WIDEST))


def _lowest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest: golden-section search (Kiefer 1953)."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > PRECISION:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return (low + high) / 2
