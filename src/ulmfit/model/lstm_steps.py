"""An LSTM layer by hand: large products once, and between them the steps of the recurrence.

Why it is fast: the input's product over all steps, and all products with the weights' gradients,
are single matrix products that fill the matrix units; the steps have only their recurrent product
left. On a GPU (and, as the definition, anywhere) a step is that product, written into the place
where the gates stand, and `lstm_cell` for the rest: nothing is copied, no weight needs a special
layout, so a dropped weight costs one pass over it; and nothing waits, so a whole step of training
can be recorded (`training/recorded.py`). On a CPU in bf16 compiled code takes all steps
(`native/steps.c`). The cell's state stays in fp32 even where the products are in bf16. Sizes that
are no multiple of `WIDTH` are padded: the matrix units of a GPU want rows of 16 bytes and the
compiled code whole vectors, and a padded unit stays at 0 and touches nothing.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ulmfit import device as devices
from ulmfit.compiled import Unavailable
from ulmfit.model.lstm_cell import PLAIN, Cell
from ulmfit.model.native.steps import LANES, compiled_steps
from ulmfit.model.products import product

WIDTH = LANES


class Recurrence(Protocol):
    """The steps of a layer, there and back; `time` of them over a batch."""

    def forward(self, gates: Tensor, hs: Tensor, cs: Tensor, w_hh: Tensor) -> None:
        """Fill in `hs` and `cs` (1 + time, batch, hidden) from their first step on.

        `gates` (time, batch, 4 hidden) come in as the input's part of the pre-activations, and
        go out after the sigmoids and the hyperbolic tangent.
        """

    def gradient(
        self,
        gates: Tensor,
        cs: Tensor,
        d_y: Tensor,
        d_h: Tensor,
        d_c: Tensor,
        d_gates: Tensor,
        w_hh: Tensor,
    ) -> Tensor:
        """Fill in `d_gates` (before the sigmoids); return the gradient of the first h.

        `d_y` (time, batch, hidden) is of the outputs, `d_h` and `d_c` (batch, hidden) of the
        last state; `d_c` goes out as of the first.
        """


class Stepwise:
    """A product and a cell at a time: the definition, and a GPU's way."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def forward(self, gates: Tensor, hs: Tensor, cs: Tensor, w_hh: Tensor) -> None:
        """As `Recurrence.forward`."""
        for t in range(len(gates)):
            gates[t].addmm_(hs[t], w_hh.t())
            self._cell.forward(gates[t], cs[t], cs[t + 1], hs[t + 1])

    def gradient(
        self,
        gates: Tensor,
        cs: Tensor,
        d_y: Tensor,
        d_h: Tensor,
        d_c: Tensor,
        d_gates: Tensor,
        w_hh: Tensor,
    ) -> Tensor:
        """As `Recurrence.gradient`."""
        d_h = d_h.clone(memory_format=torch.contiguous_format)
        for t in reversed(range(len(gates))):
            self._cell.gradient(gates[t], cs[t], cs[t + 1], d_y[t], d_h, d_c, d_gates[t])
            torch.mm(d_gates[t], w_hh, out=d_h)
        return d_h


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


def recurrence_for(x: Tensor) -> Recurrence:
    """The fastest for numbers of x's type where x is."""
    if x.device.type == "cpu" and x.dtype == torch.bfloat16:
        try:
            return compiled_steps()
        except Unavailable:
            pass
    return Stepwise(cell_for(x.device))


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
        gates = product(x.flatten(0, 1), w_ih.t(), bias).view(time, batch, -1)
        hs, cs = x.new_empty(time + 1, *h.shape), c.new_empty(time + 1, *c.shape)
        hs[0], cs[0] = h, c
        recurrence_for(x).forward(gates, hs, cs, w_hh)
        ctx.save_for_backward(x, gates, hs, cs, w_ih, w_hh)
        return hs[1:], hs[-1].clone(), cs[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, gates, hs, cs, w_ih, w_hh = ctx.saved_tensors
        d_y, d_h = grads[0].contiguous(), grads[1]
        d_c = grads[2].clone(memory_format=torch.contiguous_format)
        d_gates = torch.empty_like(gates)
        d_h = recurrence_for(x).gradient(gates, cs, d_y, d_h, d_c, d_gates, w_hh)
        flat, into, between = d_gates.flatten(0, 1), x.flatten(0, 1), hs[:-1].flatten(0, 1)
        wanted = ctx.needs_input_grad
        return (
            product(flat, w_ih).view_as(x) if wanted[0] else None,
            d_h,
            d_c,
            product(flat.t(), into) if wanted[3] else None,
            product(flat.t(), between) if wanted[4] else None,
            flat.sum(0) if wanted[5] else None,
        )
