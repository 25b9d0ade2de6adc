"""The steps of an LSTM layer in training by compiled code, on every core: bf16 on a CPU."""

from __future__ import annotations

from ctypes import Structure, c_long, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ulmfit import compiled
from ulmfit.model.native.team import share

SOURCE = Path(__file__).with_name("steps.c")
LANES = 16  # the widest vector's: sizes are multiples of it whatever the machine's


class _Packing(Structure):
    _fields_ = [("w", c_void_p), ("panels", c_void_p), ("units", c_long)]


class _Forward(Structure):
    _fields_ = [
        *((name, c_long) for name in ("steps", "batch", "units")),
        *((name, c_void_p) for name in ("panels", "gates", "c", "h", "tiles")),
    ]


class _Backward(Structure):
    _fields_ = [
        *((name, c_long) for name in ("steps", "batch", "units")),
        *((name, c_void_p) for name in ("panels", "gates", "c", "d_y", "d_h", "d_c", "d_gates")),
    ]


class CompiledSteps:
    """As `lstm_steps.Recurrence`, for bf16 on a CPU; units must be a multiple of `LANES`.

    Raises:
        Unavailable: it cannot be compiled here.
    """

    def __init__(self) -> None:
        self._code = compiled.library(SOURCE)

    @property
    def is_fast(self) -> bool:
        """Whether this CPU has dot products in bf16; else it is right and slow."""
        return bool(self._code.has_fast_bf16())

    def forward(self, gates: Tensor, hs: Tensor, cs: Tensor, w_hh: Tensor) -> None:
        """All steps, from the first to the last."""
        panels = self._packed("pack_forward", w_hh)
        tiles = gates.new_empty(gates.shape[1], 4, LANES, dtype=torch.float32)
        given = _Forward(*hs[1:].shape, *map(_address, (panels, gates, cs, hs, tiles)))
        share(self._code, "steps_forward", given, gates.shape[1])

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
        """All steps, from the last to the first."""
        panels, d_h = self._packed("pack_backward", w_hh), d_h.float().clone()
        tensors = (panels, gates, cs, d_y, d_h, d_c, d_gates)
        given = _Backward(*d_y.shape, *map(_address, tensors))
        share(self._code, "steps_backward", given, d_y.shape[1])
        return d_h.to(gates.dtype)

    def _packed(self, how: str, w_hh: Tensor) -> Tensor:
        panels, units = torch.empty_like(w_hh), w_hh.shape[1]
        given = _Packing(_address(w_hh), _address(panels), units)
        share(self._code, how, given, units // LANES)
        return panels


@cache
def compiled_steps() -> CompiledSteps:
    """The same at every call.

    Raises:
        Unavailable: it cannot be compiled here.
    """
    return CompiledSteps()


def _address(tensor: Tensor) -> int:
    assert tensor.is_contiguous()
    return tensor.data_ptr()
