"""The ways to compute an LSTM layer: the definition, and PyTorch's kernel.

The gates are PyTorch's, in its order (input, forget, cell, output) with one bias instead of two:

    i, f, o = sigmoid(...);  g = tanh(...);  c' = f * c + i * g;  h' = o * tanh(c')
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ulmfit import device as devices

State = tuple[Tensor, Tensor]
"""(h, c), each (batch, hidden)."""

Path = Callable[[Tensor, State, Tensor, Tensor, Tensor], tuple[Tensor, State]]


def lstm_reference(
    x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """The definition, step by step; the truth that the tests hold every fast path against.

    Args:
        x: (time, batch, features).
        state: (h, c) before the first step, each (batch, hidden).
        w_ih: (4 hidden, features).
        w_hh: (4 hidden, hidden).
        bias: (4 hidden,).

    Returns:
        All h (time, batch, hidden), and the state after the last step.
    """
    h, c = state
    outputs = []
    for projected in x @ w_ih.t() + bias:
        i, f, g, o = (projected + h @ w_hh.t()).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def lstm_native(
    x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """The same by PyTorch's own kernel: oneDNN in bf16 on a CPU, cuDNN on a GPU."""
    h, c = state
    weights = [w_ih, w_hh, bias, torch.zeros_like(bias)]
    if devices.is_accelerator(x.device):
        weights = _end_to_end(weights)
    train = torch.is_grad_enabled()
    y, h_last, c_last = torch._VF.lstm(
        x, [h.unsqueeze(0), c.unsqueeze(0)], weights, True, 1, 0.0, train, False, False
    )
    return y, (h_last[0], c_last[0])


def _end_to_end(weights: list[Tensor]) -> list[Tensor]:
    """The same, one behind the other in memory: cuDNN takes them as they are, and else copies."""
    flat = torch.cat([w.flatten() for w in weights])
    parts = torch.split(flat, [w.numel() for w in weights])
    return [part.view_as(w) for part, w in zip(parts, weights, strict=True)]
