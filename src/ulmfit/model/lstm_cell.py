"""One time step of an LSTM without its matrix products: the gates' arithmetic, there and back.

`PLAIN` is the definition in torch; `lstm_kernels` has the same as one GPU kernel each way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Cell:
    """The two ways of a step; both write where they are told and return nothing.

    With `gates` (batch, 4 hidden) in the order input, forget, cell, output and in the type of
    the products, `c` (batch, hidden) in fp32 and all else (batch, hidden) in the products' type:
    """

    forward: Callable[[Tensor, Tensor, Tensor, Tensor], None]
    """gates, c before -> c after, h after; `gates` comes in before and goes out after the
    sigmoids and the hyperbolic tangent"""
    gradient: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], None]
    """gates (after), c before, c after, gradient of the output, gradient of h from the step
    after, gradient of c -> gradient of the gates (before); the gradient of c is moved one step
    back in place"""


def _forward(gates: Tensor, c: Tensor, c_next: Tensor, h_next: Tensor) -> None:
    i, f, g, o = gates.float().chunk(4, dim=1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c_next.copy_(f * c + i * g)
    h_next.copy_(o * c_next.tanh())
    gates.copy_(torch.cat([i, f, g, o], dim=1))


def _gradient(
    gates: Tensor,
    c: Tensor,
    c_next: Tensor,
    d_y: Tensor,
    d_h: Tensor,
    d_c: Tensor,
    d_gates: Tensor,
) -> None:
    i, f, g, o = gates.float().chunk(4, dim=1)
    tanh = c_next.tanh()
    d_out = d_y.float() + d_h.float()
    d_cell = d_c + d_out * o * (1 - tanh * tanh)
    d_i = d_cell * g * i * (1 - i)
    d_f = d_cell * c * f * (1 - f)
    d_g = d_cell * i * (1 - g * g)
    d_o = d_out * tanh * o * (1 - o)
    d_gates.copy_(torch.cat([d_i, d_f, d_g, d_o], dim=1))
    d_c.copy_(d_cell * f)


PLAIN = Cell(_forward, _gradient)
