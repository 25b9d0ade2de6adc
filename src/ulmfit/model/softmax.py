"""Cross-entropy over a large vocabulary whose gradient is made in the same pass.

Why it is fast: the logits of (positions x vocabulary) never exist as a whole. A chunk of them is
computed into one buffer that is used again and again (no page faults), turned into probabilities
in place, and spent at once on the three gradients; autograd stores nothing of that size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ulmfit.model.compiled_softmax import by_exponentials
from ulmfit.model.logits import chunk_rows, with_bias
from ulmfit.model.native.matrices import DEEP
from ulmfit.model.products import fast_matrices

LossAndGradients = Callable[
    [Tensor, Tensor, Tensor, Tensor, torch.dtype], tuple[Tensor, Tensor, Tensor, Tensor]
]
"""x, weight, bias, targets, type of the products -> the loss, gradients to the first three"""


def softmax_loss(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-log softmax(x @ weight.T + bias)[target]``; gradients to all three.

    Args:
        x: (positions, features).
        weight: (vocabulary, features).
        bias: (vocabulary,).
        targets: (positions,) of int64.

    Returns:
        A scalar in nats. Products are computed in the autocast type, sums in fp32. Where the
        compiled products are not taken, a position counts for 69 nats at most (e^-69 is 1e-30).
    """
    return fused_loss(_loss_and_gradients, x, weight, bias, targets)


def fused_loss(
    compute: LossAndGradients, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
) -> Tensor:
    """A loss for autograd out of a function that gives it with its gradients.

    `compute` is called outside autocast and told the type that autocast asks for.
    """
    loss: Tensor = _FusedLoss.apply(compute, x, weight, bias, targets)  # type: ignore[no-untyped-call]
    return loss


class _FusedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        compute: LossAndGradients,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
    ) -> Tensor:
        kind = x.device.type
        enabled = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if enabled else torch.float32
        with torch.autocast(kind, enabled=False):
            loss, *gradients = compute(x, weight, bias, targets, dtype)
        ctx.save_for_backward(*gradients)
        ctx.x_dtype = x.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, Tensor, Tensor, None]:
        g_x, g_weight, g_bias = ctx.saved_tensors
        (scale,) = grads
        return None, (g_x * scale).to(ctx.x_dtype), g_weight * scale, g_bias * scale, None


def _loss_and_gradients(
    x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    matrices = fast_matrices(low := x.to(dtype)) if x.shape[1] <= DEEP else None
    if matrices is None:
        return _by_softmax(x, weight, bias, targets, dtype)
    return by_exponentials(matrices, low, weight.to(dtype), bias.float(), targets)


def _by_softmax(
    x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    n, features = x.shape
    x, w = with_bias(x, x.new_ones(n), dtype), with_bias(weight, bias, dtype)
    rows = chunk_rows(x, len(w))
    buffer = x.new_empty(rows, len(w))
    g_x = torch.empty(x.shape, device=x.device)
    g_w = torch.zeros(w.shape, device=x.device)
    loss = torch.zeros((), device=x.device)
    for start in range(0, n, rows):
        x_chunk, y = x[start : start + rows], targets[start : start + rows, None]
        p = torch.mm(x_chunk, w.t(), out=buffer[: len(x_chunk)])
        torch.softmax(p, 1, out=p)
        loss -= p.gather(1, y).float().clamp_min_(1e-30).log().sum()
        g_x[start : start + rows] = p @ w
        g_w += p.t() @ x_chunk
    # The one at each target is subtracted here, as rows: scattering it into the buffer is slow.
    g_x -= w[targets]
    g_w.index_add_(0, targets, x.float(), alpha=-1)
    g_x, g_w = g_x.div_(n), g_w.div_(n)
    return loss / n, g_x[:, :features], g_w[:, :features], g_w[:, features]
