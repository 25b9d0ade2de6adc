"""Single weights dropped by compiled code, on every core: on a CPU."""

from __future__ import annotations

from ctypes import Structure, c_float, c_int, c_long, c_uint64, c_void_p
from pathlib import Path

import torch
from torch import Tensor

from ulmfit import compiled
from ulmfit.model.native.team import share

SOURCE = Path(__file__).with_name("drop.c")
LEVELS = 1 << 16
"""a probability is a whole number of so many parts"""
DRAWS = 4
"""numbers that one word of 64 bits draws"""
_TYPES = {torch.float32, torch.bfloat16}


class _Dropping(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("source", "to")),
        *(("seed", c_uint64), ("numbers", c_long), ("dropped", c_long), ("scale", c_float)),
        *((name, c_int) for name in ("from_bf16", "to_bf16")),
    ]


def can_drop(weight: Tensor, dtype: torch.dtype) -> bool:
    """Whether `drop` takes `weight` here, and gives it in `dtype`."""
    if weight.device.type != "cpu" or not {weight.dtype, dtype} <= _TYPES:
        return False
    try:
        compiled.library(SOURCE)
    except compiled.Unavailable:
        return False
    return True


def drop(values: Tensor, dropped: int, seed: int, dtype: torch.dtype) -> Tensor:
    """`values` in `dtype`, where each is 0 with a chance of `dropped` in `LEVELS`, else scaled.

    Which ones are dropped is a function of the seed and of the place alone: the gradient of what
    this gives is this function of its gradient.

    Args:
        values: of fp32 or bf16, on a CPU.
        dropped: below `LEVELS`.
        seed: of 64 bits.
        dtype: fp32 or bf16.

    Raises:
        Unavailable: it cannot be compiled here.
    """
    assert {values.dtype, dtype} <= _TYPES, "the compiled code knows no other sizes"
    code, values = compiled.library(SOURCE), values.contiguous()
    out = torch.empty_like(values, dtype=dtype)
    given = _Dropping(
        values.data_ptr(),
        out.data_ptr(),
        seed % 2**64,
        values.numel(),
        dropped,
        LEVELS / (LEVELS - dropped),
        *(kind == torch.bfloat16 for kind in (values.dtype, dtype)),
    )
    share(code, "drop", given, -(-values.numel() // DRAWS))
    return out
