"""Products of large matrices, by whatever is fastest here and right."""

from __future__ import annotations

import warnings
from functools import lru_cache

import torch
from torch import Tensor

from ulmfit import device as devices
from ulmfit.compiled import Unavailable
from ulmfit.model.native.matrices import Matrices, compiled_matrices

SMALL = 10_000_000
"""products of numbers below which PyTorch's own call costs no more"""
TOLERANCE = 1e-3
"""of the norm of a product that is kept in fp32; right ones stand at 1e-6"""


def product(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ w (+ bias) in x's type.

    Args:
        x: (rows, inputs).
        w: (inputs, columns), of x's type.
        bias: (columns,) of x's type.
    """
    matrices = fast_matrices(x) if x.numel() * w.shape[1] >= SMALL else None
    if matrices is None or not (1 in x.stride() and 1 in w.stride()):
        return x @ w if bias is None else torch.addmm(bias, x, w)
    return matrices.product(x, matrices.packed(w), None if bias is None else bias.float())


def fast_matrices(x: Tensor) -> Matrices | None:
    """Compiled products, where they are right and the fastest for numbers of x's type and place.

    PyTorch's use AMX, which ours do not; without it ours are a sixth faster (experiments/LOG.md).
    """
    if x.device.type != "cpu" or x.dtype != torch.bfloat16:
        return None
    return _found() if devices.cpu_bf16_units() == "AVX512-bf16" else None


@lru_cache(maxsize=1)
def _found() -> Matrices | None:
    try:
        matrices = compiled_matrices()
    except Unavailable:  # the choice of an LSTM's path says so
        return None
    if not matrices.is_fast:
        return None
    if not _is_right(matrices):
        warnings.warn("compiled products are wrong here; PyTorch's are used", stacklevel=3)
        return None
    return matrices


def _is_right(matrices: Matrices) -> bool:
    """Both ways that x and w may lie, sizes that fill no block, and exponentials."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(150, 83, generator=generator).bfloat16()
    w = torch.randn(83, 70, generator=generator).bfloat16()
    across = x.t().contiguous().t(), w.t().contiguous().t()
    with torch.inference_mode(False), torch.autocast("cpu", enabled=False):
        wanted = x.float() @ w.float()
        got = [matrices.sums(a, matrices.packed(b)) for a, b in ((x, w), across)]
        logits, room = wanted + x[0, :70], torch.empty(wanted.shape, dtype=torch.bfloat16)
        highest = logits.amax(1)
        wanted_sums = (logits - highest[:, None]).exp().sum(1)
        sums = matrices.exponentials(x, matrices.packed(w), x[0, :70].float(), highest, room)
    pairs = [*((wanted, g) for g in got), (wanted_sums, sums)]
    return all(bool((a - b).norm() <= TOLERANCE * a.norm()) for a, b in pairs)
