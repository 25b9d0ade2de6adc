"""Products of large bf16 matrices by compiled code, on every core of a CPU."""

from __future__ import annotations

from ctypes import Structure, c_long, c_void_p
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

import torch
from torch import Tensor

from ulmfit import compiled
from ulmfit.model.native.team import share

SOURCE = Path(__file__).with_name("matrices.c")
TOTALS = 16  # of a row of exponentials
MOST = 12  # rows of packed chunks are multiples of it; what narrower vectors take divides it
DEEP = 4608  # most inputs at a time; of sums that are kept in fp32
SHALLOW = 1024  # where the panels are larger than the last cache, and should pass less often
LAST_CACHE = 16_000_000  # bytes


class _Packing(Structure):
    _fields_ = [
        ("w", c_void_p),
        *((name, c_long) for name in ("input", "column", "inputs", "columns")),
        ("panels", c_void_p),
    ]


class _Product(Structure):
    _fields_ = [
        ("x", c_void_p),
        *((name, c_long) for name in ("row", "input")),
        ("panels", c_void_p),
        *((name, c_long) for name in ("rows", "inputs", "columns", "depth", "chunk", "kept")),
        *((name, c_void_p) for name in ("sums", "out", "bias", "highest", "totals")),
    ]


@dataclass(frozen=True)
class Panels:
    """A matrix (inputs, columns) as products read it."""

    packed: Tensor
    inputs: int
    columns: int


class Matrices:
    """Products x @ w of bf16 matrices; sums are fp32, in an order that depends on w's shape alone.

    Raises:
        Unavailable: it cannot be compiled here.
    """

    def __init__(self) -> None:
        self._code = compiled.library(SOURCE)

    @property
    def is_fast(self) -> bool:
        """Whether this CPU has dot products in bf16; else it is right and slow."""
        return bool(self._code.has_fast_bf16())

    def packed(self, w: Tensor) -> Panels:
        """w (inputs, columns), of which the one or the other lie side by side in memory."""
        assert w.dtype == torch.bfloat16 and 1 in w.stride()
        (inputs, columns), width = w.shape, self._code.panel_width()
        panels = ceil(columns / width)
        packed = torch.empty(panels * width * ceil(inputs / 2), dtype=torch.int32)
        given = _Packing(w.data_ptr(), *w.stride(), inputs, columns, packed.data_ptr())
        share(self._code, "pack_panels", given, panels)
        return Panels(packed, inputs, columns)

    def product(self, x: Tensor, w: Panels, bias: Tensor | None = None) -> Tensor:
        """x @ w (+ bias) in bf16, (rows, columns).

        Args:
            x: (rows, inputs), of which the one or the other lie side by side in memory.
            w: from `packed`.
            bias: (columns,) of fp32.
        """
        if w.inputs > DEEP:
            sums = self.sums(x, w)
            return (sums if bias is None else sums.add_(bias)).bfloat16()
        out = torch.empty(len(x), w.columns, dtype=torch.bfloat16)
        self._multiply(x, w, out=out, bias=bias)
        return out

    def sums(self, x: Tensor, w: Panels, onto: Tensor | None = None) -> Tensor:
        """x @ w in fp32, (rows, columns); added to what stands in `onto`, which is returned."""
        sums = torch.empty(len(x), w.columns) if onto is None else onto
        self._multiply(x, w, sums=sums, add=onto is not None)
        return sums

    def exponentials(
        self, x: Tensor, w: Panels, bias: Tensor, highest: Tensor, out: Tensor
    ) -> Tensor:
        """exp(x @ w + bias - highest) into `out`; exponents are cut at -40 and 40.

        Args:
            x: (rows, at most `DEEP` inputs).
            w: from `packed`.
            bias: (columns,) of fp32.
            highest: (rows,) of fp32.
            out: (rows, columns) of bf16.

        Returns:
            (rows,): the sum of each row, before it is rounded.
        """
        totals = torch.zeros(len(x), TOTALS)
        self._multiply(x, w, out=out, bias=bias, highest=highest, totals=totals)
        return totals.sum(1)

    def _multiply(self, x: Tensor, w: Panels, add: bool = False, **given: Tensor | None) -> None:
        assert x.dtype == torch.bfloat16 and 1 in x.stride() and x.shape[1] == w.inputs
        for tensor in given.values():
            assert tensor is None or tensor.is_contiguous()
        rows, pairs = len(x), ceil(w.inputs / 2)
        depth = self._depth(w, pairs) if "sums" in given else pairs
        chunk = self._chunk(rows, depth)
        addresses = (
            None if (tensor := given.get(name)) is None else tensor.data_ptr()
            for name in ("sums", "out", "bias", "highest", "totals")
        )
        product = _Product(
            x.data_ptr(),
            *x.stride(),
            w.packed.data_ptr(),
            *(rows, w.inputs, w.columns, depth, chunk, int(add)),
            *addresses,
        )
        share(self._code, "multiply", product, ceil(rows / chunk), one_by_one=True)

    def _depth(self, w: Panels, pairs: int) -> int:
        """Pairs of inputs at a time: as even as can be."""
        large = w.packed.nbytes > LAST_CACHE
        return ceil(pairs / ceil(2 * pairs / (SHALLOW if large else DEEP)))

    def _chunk(self, rows: int, depth: int) -> int:
        """Rows that are packed together: as many for each core, within what there is room for."""
        cores = torch.get_num_threads()
        most: int = self._code.packing_room() // depth // MOST * MOST
        chunks = cores * ceil(rows / (cores * most))
        return MOST * ceil(rows / (chunks * MOST))


@cache
def compiled_matrices() -> Matrices:
    """The same at every call.

    Raises:
        Unavailable: it cannot be compiled here.
    """
    return Matrices()
