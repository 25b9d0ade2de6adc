"""Weights small on disk: int8 rows with scales, or bf16; the same fp32 numbers on every load."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Storage = Literal["fp32", "bf16", "int8"]
SCALE = ".scale"


def pack(tensors: dict[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Tensors as they are stored. "int8" turns each matrix into int8 rows and `name.scale`
    (rows,); vectors stay fp32. "bf16" rounds everything that is fp32."""
    if storage == "fp32":
        return tensors
    if storage == "bf16":
        return {k: t.bfloat16() if t.dtype == torch.float32 else t for k, t in tensors.items()}
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and tensor.dtype == torch.float32:
            scale = tensor.abs().amax(1).clamp_min(1e-12) / 127
            packed[name] = (tensor / scale[:, None]).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name] = tensor
    return packed


def unpack(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """fp32 tensors from what `pack` gave, whichever storage it was.

    Raises:
        KeyError: an int8 matrix without its scales.
    """
    result: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(SCALE) and name[: -len(SCALE)] in tensors:
            continue
        if tensor.dtype == torch.int8:
            result[name] = tensor.float() * tensors[name + SCALE][:, None]
        else:
            result[name] = tensor.float() if tensor.is_floating_point() else tensor
    return result
