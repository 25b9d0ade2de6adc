"""What a classifier's outputs cost, by kind of target: outputs, targets and weights -> a mean.

Each maker gives a function of (outputs (batch, outputs), targets, weights or None). Weights are
those of the texts, (batch,), or of texts and classes, (batch, classes); the mean is over the batch
whatever they sum to, so that a text of weight 2 counts as two texts over an epoch.

`focus` is the exponent of the focal loss (Lin et al. 2017, "Focal loss for dense object
detection", sec. 3.2): what is answered well already counts less; 0 for none. `smoothing` is the
share of the target that is spread evenly over all classes (Szegedy et al. 2016, "Rethinking the
inception architecture for computer vision", sec. 7); 0 for none.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def cross_entropy(focus: float = 0.0, smoothing: float = 0.0) -> Loss:
    """Of one class a text; targets (batch,) are class numbers."""

    def loss(outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        if weights is None and not focus and not smoothing:
            return F.cross_entropy(outputs, targets)
        nats = _of_classes(F.log_softmax(outputs, 1), targets, focus, smoothing)
        return _mean(nats, weights)

    return loss


def continuation_ratio(focus: float = 0.0, smoothing: float = 0.0) -> Loss:
    """Of ordered classes, outputs (batch, ranks - 1); targets (batch,) are ranks from 0.

    The sum over the ranks of the binary cross-entropy of CORN (Shi, Cao and Raschka 2021, sec. 3)
    is the negative log-likelihood of the rank, and is taken a text, not a rank.
    """

    def loss(outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        nats = _of_classes(log_ranks(outputs), targets, focus, smoothing)
        return _mean(nats, weights)

    return loss


def binary_cross_entropy(focus: float = 0.0, smoothing: float = 0.0) -> Loss:
    """Of any number of classes a text; targets (batch, classes) are 0.0 and 1.0."""

    def loss(outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        logs = torch.stack([F.logsigmoid(-outputs), F.logsigmoid(outputs)])
        shares = torch.stack([1 - targets, targets]) * (1 - smoothing) + smoothing / 2
        nats = _focused(logs, shares, focus).sum(0)
        if weights is not None and weights.ndim == 1:
            weights = weights[:, None]
        return _mean(nats, weights)

    return loss


def squared_error() -> Loss:
    """Of real values, outputs (batch, 1); targets (batch,), standardised."""

    def loss(outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        return _mean((outputs[:, 0] - targets).square(), weights)

    return loss


def log_ranks(outputs: Tensor) -> Tensor:
    """Log-probabilities (batch, ranks) of outputs (batch, ranks - 1): the logits of going on."""
    reached = F.pad(F.logsigmoid(outputs).cumsum(1), (1, 0))
    return reached + F.pad(F.logsigmoid(-outputs), (0, 1))


def _of_classes(logs: Tensor, targets: Tensor, focus: float, smoothing: float) -> Tensor:
    """(batch, classes) of log-probabilities -> (batch,)."""
    classes = logs.shape[1]
    shares = F.one_hot(targets, classes) * (1 - smoothing) + smoothing / classes
    return _focused(logs, shares, focus).sum(1)


def _focused(logs: Tensor, shares: Tensor, focus: float) -> Tensor:
    """Each class's part of the loss; `shares` are the target's."""
    nats = -shares * logs
    if not focus:
        return nats
    rest = -torch.expm1(logs)  # 1 - p; at 0 an exponent under 1 has no slope
    return nats * rest.clamp_min(torch.finfo(rest.dtype).eps).pow(focus)


def _mean(nats: Tensor, weights: Tensor | None) -> Tensor:
    return nats.mean() if weights is None else (nats * weights).mean()
