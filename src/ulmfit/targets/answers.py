"""A model's outputs -> probabilities and values; each kind's loss on them.

Ordinal outputs are the logits of "beyond rank k, given that it reached k" (continuation ratios:
Fienberg 1980, "The analysis of cross-classified categorical data"; as the head of a network,
CORN: Shi, Cao and Raschka 2021, "Deep neural networks for rank-consistent ordinal regression").
Their product never rises with k, so that the answers cannot contradict each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulmfit.targets.kinds import Floats, Kind, Labels

SMALLEST = float(np.finfo(np.float64).eps)  # a probability of 0 counts so much, as in the metrics


def probabilities(logits: Floats, kind: Kind, temperature: float = 1.0) -> Floats:
    """Probabilities (texts, classes): the directions' mean (v2, sec. 3.3).

    Args:
        logits: (texts, directions, outputs).
        kind: "single", "multi" or "ordinal".
        temperature: the logits are divided by it (Guo et al. 2017, sec. 4.2).
    """
    scaled = logits / temperature
    if kind == "multi":
        return _mean(_sigmoid(scaled))
    if kind == "ordinal":
        return _mean(_ranks(scaled))
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    return _mean(powers / powers.sum(-1, keepdims=True))


def values(logits: Floats, mean: float, scale: float) -> Floats:
    """Real values (texts,) in the user's units, of outputs (texts, directions, 1)."""
    found: Floats = mean + scale * logits[..., 0].mean(1)
    return found


def nats(answers: Floats, labels: Labels, kind: Kind) -> Floats:
    """Negative log-likelihood: (texts,), of multi-label (texts, classes)."""
    if kind == "multi":
        given = np.where(labels, answers, 1 - answers)
    else:
        given = answers[np.arange(len(labels)), labels]
    losses: Floats = -np.log(np.clip(given, SMALLEST, 1.0))
    return losses


def _mean(by_direction: NDArray[np.float64]) -> Floats:
    mean: Floats = by_direction.mean(1)
    return mean


def _sigmoid(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _ranks(logits: Floats) -> Floats:
    """(..., ranks - 1) -> (..., ranks): reached rank k, and did not go beyond it."""
    beyond = np.cumprod(_sigmoid(logits), -1)  # P(rank > k)
    one = np.ones((*logits.shape[:-1], 1))
    reached = np.concatenate([one, beyond], -1)
    stopped = np.concatenate([_sigmoid(-logits), one], -1)
    ranks: Floats = reached * stopped
    return ranks
