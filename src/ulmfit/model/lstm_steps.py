"""An LSTM layer by hand: large products once, and in each step one product and one kernel.

Why it is fast: the input's product over all steps, and all products with the weights' gradients,
are single matrix products that fill the matrix units; a step has only its recurrent product left,
written into the place where the gates stand, and `lstm_cell` for the rest. Nothing is copied, no
weight needs a special layout, so a dropped weight costs one pass over it; and nothing waits, so a
whole step of training can be recorded (`training/recorded.py`). The cell's state stays in fp32
even where the products are in bf16. A hidden size that is no multiple of `WIDTH` is padded: the
matrix units of a GPU want rows of 16 bytes, and a padded unit stays at 0 and touches nothing.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ulmfit import device as devices
from ulmfit.model.lstm_cell import PLAIN, Cell

WIDTH = 8


def lstm_steps(
    x: Tensor, state: tuple[Tensor, Tensor], w_ih: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """As `lstm_paths.lstm_reference`; `x`, the weights and the output have one type, c is fp32."""
    (h, c), hidden = state, w_hh.shape[1]
    more, spare = -x.shape[2] % WIDTH, -hidden % WIDTH
    if more or spare:
        x, h, c = F.pad(x, (0, more)), F.pad(h, (0, spare)), F.pad(c, (0, spare))
        w_ih, w_hh = _padded(w_ih, more, spare), _padded(w_hh, spare, spare)
        bias = _padded(bias[:, None], 0, spare)[:, 0]
    y, h, c = _Steps.apply(x, h.to(x.dtype), c.float(), w_ih, w_hh, bias)  # type: ignore[no-untyped-call]
    return y[..., :hidden], (h[:, :hidden], c[:, :hidden])


def cell_for(device: torch.device) -> Cell:
    """The fastest cell on `device`."""
    if devices.compiles_kernels(device):
        from ulmfit.model.lstm_kernels import KERNELS

        return KERNELS
    return PLAIN


def _padded(weight: Tensor, columns: int, units: int) -> Tensor:
    """(4 hidden, features) with zeros: so many more features, and units in each gate."""
    gates = weight.view(4, -1, weight.shape[1])
    return F.pad(gates, (0, columns, 0, units)).flatten(0, 1)


class _Steps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        time, batch, _ = x.shape
        cell = cell_for(x.device)
        gates = torch.addmm(bias, x.flatten(0, 1), w_ih.t()).view(time, batch, -1)
        hs, cs = x.new_empty(time + 1, *h.shape), c.new_empty(time + 1, *c.shape)
        hs[0], cs[0] = h, c
        for t in range(time):
            gates[t].addmm_(hs[t], w_hh.t())
            cell.forward(gates[t], cs[t], cs[t + 1], hs[t + 1])
        ctx.save_for_backward(x, gates, hs, cs, w_ih, w_hh)
        return hs[1:], hs[-1].clone(), cs[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, gates, hs, cs, w_ih, w_hh = ctx.saved_tensors
        cell = cell_for(x.device)
        d_y = grads[0].contiguous()
        d_h, d_c = (g.clone(memory_format=torch.contiguous_format) for g in grads[1:])
        d_gates = torch.empty_like(gates)
        for t in reversed(range(len(gates))):
            cell.gradient(gates[t], cs[t], cs[t + 1], d_y[t], d_h, d_c, d_gates[t])
            torch.mm(d_gates[t], w_hh, out=d_h)
        flat, into, between = d_gates.flatten(0, 1), x.flatten(0, 1), hs[:-1].flatten(0, 1)
        wanted = ctx.needs_input_grad
        return (
            (flat @ w_ih).view_as(x) if wanted[0] else None,
            d_h,
            d_c,
            flat.t() @ into if wanted[3] else None,
            flat.t() @ between if wanted[4] else None,
            flat.sum(0) if wanted[5] else None,
        )
