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

from ulmfit import device as devices

LossAndGradients = Callable[
    [Tensor, Tensor, Tensor, Tensor, torch.dtype], tuple[Tensor, Tensor, Tensor, Tensor]
]
"""x, weight, bias, targets, type of the products -> the loss, gradients to the first three"""

CHUNK_BYTES = 100_000_000  # of logits at a time: 80 to 130 MB are the fastest (LOG)
GPU_CHUNK_BYTES = 2 * 10**9  # there one large product is faster than many;
GPU_SHARE = 20  # and of its memory a twentieth at most
WIDTH = 32  # AMX takes 32 bf16 numbers a tile row


def softmax_loss(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-log softmax(x @ weight.T + bias)[target]``; gradients to all three.

    Args:
        x: (positions, features).
        weight: (vocabulary, features).
        bias: (vocabulary,).
        targets: (positions,) of int64.

    Returns:
        A scalar in nats. Products are computed in the autocast type, sums in fp32.
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
    n, features = x.shape
    x_low, w_low = with_bias(x, torch.ones_like(x[:, :1]), dtype), with_bias(weight, bias, dtype)
    buffer = chunk_buffer(x_low, len(weight))
    rows = len(buffer)
    g_x = torch.empty(x_low.shape, device=x.device)
    g_w = torch.zeros(w_low.shape, device=x.device)
    loss = torch.zeros((), device=x.device)
    for start in range(0, n, rows):
        x_chunk, y = x_low[start : start + rows], targets[start : start + rows, None]
        p = torch.mm(x_chunk, w_low.t(), out=buffer[: len(x_chunk)])
        torch.softmax(p, 1, out=p)
        loss -= p.gather(1, y).float().clamp_min_(1e-30).log().sum()
        g_x[start : start + rows] = p @ w_low
        g_w += p.t() @ x_chunk
    # The one at each target is subtracted here, as rows: scattering it into the buffer is slow.
    g_x -= w_low[targets]
    g_w.index_add_(0, targets, x_low.float(), alpha=-1)
    g_x, g_w = g_x.div_(n), g_w.div_(n)
    return loss / n, g_x[:, :features], g_w[:, :features], g_w[:, features]


def chunk_buffer(x: Tensor, columns: int) -> Tensor:
    """Room for the logits of a chunk of x's rows: within the chunk's bytes, all of one size."""
    size = min(GPU_CHUNK_BYTES, devices.total_memory(x.device) // GPU_SHARE) or CHUNK_BYTES
    most = max(1, size // (columns * x.element_size()))
    rows = -(-len(x) // max(1, -(-len(x) // most)))
    return x.new_empty(rows, columns)


def with_bias(matrix: Tensor, column: Tensor, dtype: torch.dtype) -> Tensor:
    """`matrix` with one more column, zeros up to a width that the matrix units like.

    The products then carry the bias and its gradient along; an odd width halves their speed.
    """
    features = matrix.shape[1]
    wide = matrix.new_zeros(len(matrix), -(-(features + 1) // WIDTH) * WIDTH, dtype=dtype)
    wide[:, :features] = matrix
    wide[:, features] = column.reshape(-1)
    return wide
