"""The number that is explained, of each kind of task: log-odds of a label, or a value."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.explanations.gradients import Quantity
from ulmfit.manifest import TargetConfig


def quantity_of(target: TargetConfig, label: int) -> Quantity:
    """logits (batch, outputs) -> (batch,): log-odds of the label in nats, or the value.

    Args:
        target: what the outputs mean.
        label: number of the label; of no meaning for a real value.
    """

    def of(logits: Tensor) -> Tensor:
        if target.kind == "real":
            return target.mean + target.scale * logits[:, 0]
        scaled = logits / target.temperature
        if target.kind == "multi":
            return scaled[:, label]
        if target.kind == "ordinal":
            return _rank(scaled, label)
        others = torch.cat([scaled[:, :label], scaled[:, label + 1 :]], 1)
        return scaled[:, label] - others.logsumexp(1)

    return of


def _rank(logits: Tensor, rank: int) -> Tensor:
    """Log-odds of one rank out of continuation ratios (`targets.answers`)."""
    nats = F.logsigmoid(logits[:, :rank]).sum(1)
    if rank < logits.shape[1]:
        nats = nats + F.logsigmoid(-logits[:, rank])
    least = torch.finfo(nats.dtype).eps
    return nats - torch.log(-torch.expm1(nats.clamp(max=-least)))
