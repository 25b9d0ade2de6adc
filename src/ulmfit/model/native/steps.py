"""The steps of an LSTM layer in training by compiled code, on every core: bf16 on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_long, c_void_p
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from ulmfit import compiled

SOURCE = Path(__file__).with_name("steps.c")
LANES = 16  # the widest vector's: sizes are multiples of it whatever the machine's


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
        return bool(self._code.steps_are_fast())

    def forward(self, gates: Tensor, hs: Tensor, cs: Tensor, w_hh: Tensor) -> None:
        """All steps, from the first to the last."""
        panels = self._packed(self._code.pack_forward, w_hh)
        tiles = gates.new_empty(gates.shape[1], 4, LANES, dtype=torch.float32)

        def work(first: int, rows: int) -> None:
            given = panels, gates, cs, hs, tiles[first:]
            self._code.steps_forward(*_sizes(hs[1:], first, rows), *map(_address, given))

        _share(work, gates.shape[1])

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
        panels, d_h = self._packed(self._code.pack_backward, w_hh), d_h.float().clone()

        def work(first: int, rows: int) -> None:
            given = panels, gates, cs, d_y, d_h, d_c, d_gates
            self._code.steps_backward(*_sizes(d_y, first, rows), *map(_address, given))

        _share(work, gates.shape[1])
        return d_h.to(gates.dtype)

    def _packed(self, pack: Callable[..., None], w_hh: Tensor) -> Tensor:
        panels, units = torch.empty_like(w_hh), w_hh.shape[1]

        def work(first: int, blocks: int) -> None:
            ends = c_long(first * LANES), c_long((first + blocks) * LANES)
            pack(_address(w_hh), c_long(units), *ends, _address(panels))

        _share(work, units // LANES)
        return panels


@cache
def compiled_steps() -> CompiledSteps:
    """The same at every call.

    Raises:
        Unavailable: it cannot be compiled here.
    """
    return CompiledSteps()


def _address(tensor: Tensor) -> c_void_p:
    assert tensor.is_contiguous()
    return c_void_p(tensor.data_ptr())


def _sizes(y: Tensor, first: int, rows: int) -> tuple[c_long, ...]:
    """steps, batch, units of (steps, batch, units), and which rows of the batch."""
    return (*map(c_long, y.shape), c_long(first), c_long(rows))


def _share(work: Callable[[int, int], None], count: int) -> None:
    """Call `work(first, how many)` for contiguous parts of `count`, each on a thread."""
    threads = min(torch.get_num_threads(), count)
    cuts = [count * i // threads for i in range(threads + 1)]
    (first, *others) = [(start, end - start) for start, end in pairwise(cuts)]
    if not others:
        return work(*first)
    # Not kept for the next call: a process that is forked between would wait for it forever.
    with ThreadPoolExecutor(threads - 1) as pool:
        running = [pool.submit(work, *part) for part in others]
        work(*first)
        for part in running:
            part.result()
