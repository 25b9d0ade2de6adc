"""Weights small on disk: bf16, int8 rows, or 5 or 6 bits a weight; the same fp32 on every load."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Storage = Literal["fp32", "bf16", "int8", "int6", "int5"]
BITS: dict[Storage, int] = {"int6": 6, "int5": 5}
"""storages whose numbers are not whole bytes, and the bits of each"""
SCALE = ".scale"
COLUMNS = ".columns"
GROUP = 64  # columns with a scale of their own: a quarter of a bit a weight (LOG, "5 and 6 bits")
TOGETHER = 8  # weights whose bits fill whole bytes: as many bytes as each has bits


def pack(tensors: dict[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Tensors as they are stored; of integers, and of vectors that are not asked for in bf16, none
    changes.

    "bf16" rounds everything that is fp32. "int8" turns each matrix into int8 rows and `name.scale`
    (rows,) in fp32. "int6" and "int5" make of it `name` (rows, bytes) of uint8, `name.scale` (rows,
    groups of `GROUP` columns) in bf16 and `name.columns` (1,).
    """
    if storage == "fp32":
        return tensors
    if storage == "bf16":
        return {k: t.bfloat16() if t.dtype == torch.float32 else t for k, t in tensors.items()}
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or tensor.dtype != torch.float32:
            packed[name] = tensor
        elif storage == "int8":
            scale = tensor.abs().amax(1).clamp_min(1e-12) / 127
            packed[name] = (tensor / scale[:, None]).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name], packed[name + SCALE] = _pack_bits(tensor, BITS[storage])
            packed[name + COLUMNS] = torch.tensor([tensor.shape[1]])
    return packed


def unpack(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """fp32 tensors from what `pack` gave, whichever storage it was.

    Raises:
        KeyError: a matrix of integers without its scales.
        ValueError: a matrix, its scales and its columns that cannot belong together.
    """
    result: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if _told_of(name) in tensors:
            continue
        if tensor.dtype == torch.int8:
            scale = tensors[name + SCALE]
            if tensor.ndim != 2 or scale.shape != tensor.shape[:1]:
                raise ValueError(f"{name}: not one scale for each row")
            result[name] = tensor.float() * scale[:, None]
        elif tensor.dtype == torch.uint8:
            columns = tensors[name + COLUMNS]
            result[name] = _unpack_bits(name, tensor, tensors[name + SCALE], columns)
        else:
            result[name] = tensor.float() if tensor.is_floating_point() else tensor
    return result


def _told_of(name: str) -> str | None:
    """The matrix whose scales or columns a tensor of that name holds, if it is no matrix itself."""
    return next((name.removesuffix(e) for e in (SCALE, COLUMNS) if name.endswith(e)), None)


def _pack_bits(matrix: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """(rows, columns) -> (rows, bytes) and (rows, groups): numbers from 1 to 2^bits - 1, of which
    the middle is 0, the first of `TOGETHER` in the lowest bits."""
    rows, columns = matrix.shape
    middle = 2 ** (bits - 1)
    groups = torch.nn.functional.pad(matrix, (0, -columns % GROUP)).view(rows, -1, GROUP)
    scale = (groups.abs().amax(2).clamp_min(1e-12) / (middle - 1)).bfloat16()
    levels = (groups / scale.float()[:, :, None]).round().clamp(1 - middle, middle - 1) + middle
    whole = columns + -columns % TOGETHER
    numbers = levels.view(rows, -1)[:, :whole].long().view(rows, -1, TOGETHER)
    lanes = (numbers << (bits * torch.arange(TOGETHER))).sum(2)  # eight numbers in one
    separate = lanes[:, :, None] >> (8 * torch.arange(bits)) & 255
    return separate.to(torch.uint8).view(rows, -1), scale


def _unpack_bits(name: str, packed: Tensor, scale: Tensor, columns: Tensor) -> Tensor:
    sizes = (packed.ndim, columns.shape, columns.dtype)
    if sizes != (2, (1,), torch.int64) or (count := int(columns)) < 1:
        raise ValueError(f"{name}: not a matrix with a number of columns")
    rows, lanes = len(packed), -(-count // TOGETHER)
    bits, rest = divmod(packed.shape[1], lanes)
    if rest or bits not in BITS.values() or scale.shape != (rows, -(-count // GROUP)):
        raise ValueError(f"{name}: its bytes and scales are not those of {count} columns")
    stored = packed.view(rows, lanes, bits).unbind(2)
    numbers = torch.empty(rows, lanes, TOGETHER)
    for place in range(TOGETHER):
        byte, shift = divmod(bits * place, 8)
        number = stored[byte] >> shift
        if shift + bits > 8:  # its upper bits are the lowest ones of the next byte
            number |= stored[byte + 1] << (8 - shift)
        numbers[:, :, place] = number & (2**bits - 1)
    numbers -= 2 ** (bits - 1)
    matrix = numbers.view(rows, -1)[:, :count]
    return matrix * scale.float().repeat_interleave(GROUP, 1)[:, :count]
