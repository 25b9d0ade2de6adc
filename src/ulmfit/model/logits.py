"""What losses over a large vocabulary share: bias in the product, and how many rows at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from ulmfit import device as devices

CHUNK_BYTES = 100_000_000  # of logits at a time: 80 to 130 MB are the fastest (LOG)
GPU_CHUNK_BYTES = 2 * 10**9  # there one large product is faster than many;
GPU_SHARE = 20  # and of its memory a twentieth at most
WIDTH = 32  # AMX takes 32 bf16 numbers a tile row


def chunk_rows(x: Tensor, columns: int) -> int:
    """Rows of x whose logits exist at a time: all chunks of one size, within their bytes."""
    size = min(GPU_CHUNK_BYTES, devices.total_memory(x.device) // GPU_SHARE) or CHUNK_BYTES
    most = max(1, size // (columns * x.element_size()))
    return -(-len(x) // max(1, -(-len(x) // most)))


def with_bias(matrix: Tensor, column: Tensor, dtype: torch.dtype) -> Tensor:
    """`matrix` with one more column, zeros up to a width that the matrix units like.

    The products then carry the bias and its gradient along; an odd width halves their speed.
    """
    features = matrix.shape[1]
    wide = matrix.new_zeros(len(matrix), -(-(features + 1) // WIDTH) * WIDTH, dtype=dtype)
    wide[:, :features] = matrix
    wide[:, features] = column.reshape(-1)
    return wide
