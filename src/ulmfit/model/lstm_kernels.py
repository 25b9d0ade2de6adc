"""The arithmetic of an LSTM's gates as one GPU kernel each way (Triton).

Why it is fast: `lstm_cell.PLAIN` is some twenty kernels a step, each of which reads and writes
(batch, 4 hidden) numbers; here every number is read once and written once, and between them stays
in registers. `gates` may be bf16: the arithmetic is fp32, and the cell's state is kept in fp32.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from ulmfit.model.lstm_cell import Cell

BLOCK = 512  # units a program; four warps of 32 lanes hold four each


@triton.jit
def _tanh(x):
    return 2.0 * tl.sigmoid(2.0 * x) - 1.0


@triton.jit
def _forward_kernel(gates, c, c_next, h_next, units, HIDDEN: tl.constexpr, BLOCK: tl.constexpr):
    unit = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = unit < units
    gate = gates + unit // HIDDEN * 4 * HIDDEN + unit % HIDDEN
    i = tl.sigmoid(tl.load(gate, mask=inside).to(tl.float32))
    f = tl.sigmoid(tl.load(gate + HIDDEN, mask=inside).to(tl.float32))
    g = _tanh(tl.load(gate + 2 * HIDDEN, mask=inside).to(tl.float32))
    o = tl.sigmoid(tl.load(gate + 3 * HIDDEN, mask=inside).to(tl.float32))
    cell = f * tl.load(c + unit, mask=inside) + i * g
    kind = gates.dtype.element_ty
    tl.store(c_next + unit, cell, mask=inside)
    tl.store(h_next + unit, (o * _tanh(cell)).to(kind), mask=inside)
    tl.store(gate, i.to(kind), mask=inside)
    tl.store(gate + HIDDEN, f.to(kind), mask=inside)
    tl.store(gate + 2 * HIDDEN, g.to(kind), mask=inside)
    tl.store(gate + 3 * HIDDEN, o.to(kind), mask=inside)


@triton.jit
def _gradient_kernel(
    gates, c, c_next, d_y, d_h, d_c, d_gates, units, HIDDEN: tl.constexpr, BLOCK: tl.constexpr
):
    unit = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = unit < units
    place = unit // HIDDEN * 4 * HIDDEN + unit % HIDDEN
    gate = gates + place
    i = tl.load(gate, mask=inside).to(tl.float32)
    f = tl.load(gate + HIDDEN, mask=inside).to(tl.float32)
    g = tl.load(gate + 2 * HIDDEN, mask=inside).to(tl.float32)
    o = tl.load(gate + 3 * HIDDEN, mask=inside).to(tl.float32)
    tanh = _tanh(tl.load(c_next + unit, mask=inside))
    d_out = tl.load(d_y + unit, mask=inside).to(tl.float32)
    d_out += tl.load(d_h + unit, mask=inside).to(tl.float32)
    d_cell = tl.load(d_c + unit, mask=inside) + d_out * o * (1.0 - tanh * tanh)
    kind = gates.dtype.element_ty
    to = d_gates + place
    tl.store(to, (d_cell * g * i * (1.0 - i)).to(kind), mask=inside)
    d_f = d_cell * tl.load(c + unit, mask=inside) * f * (1.0 - f)
    tl.store(to + HIDDEN, d_f.to(kind), mask=inside)
    tl.store(to + 2 * HIDDEN, (d_cell * i * (1.0 - g * g)).to(kind), mask=inside)
    tl.store(to + 3 * HIDDEN, (d_out * tanh * o * (1.0 - o)).to(kind), mask=inside)
    tl.store(d_c + unit, d_cell * f, mask=inside)


def _forward(gates: Tensor, c: Tensor, c_next: Tensor, h_next: Tensor) -> None:
    grid = (triton.cdiv(c.numel(), BLOCK),)
    _forward_kernel[grid](gates, c, c_next, h_next, c.numel(), HIDDEN=c.shape[1], BLOCK=BLOCK)


def _gradient(
    gates: Tensor,
    c: Tensor,
    c_next: Tensor,
    d_y: Tensor,
    d_h: Tensor,
    d_c: Tensor,
    d_gates: Tensor,
) -> None:
    grid = (triton.cdiv(c.numel(), BLOCK),)
    given = (gates, c, c_next, d_y, d_h, d_c, d_gates, c.numel())
    _gradient_kernel[grid](*given, HIDDEN=c.shape[1], BLOCK=BLOCK)


KERNELS = Cell(_forward, _gradient)
