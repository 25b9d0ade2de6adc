"""How fast a training step is, and how fast it could be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from statistics import median

import torch

from ulmfit.model.awd_lstm import Architecture
from ulmfit.training.loop import Loop, Step

WARM = 5  # steps before the timed ones: kernels compile, the step is recorded
TIMED = 10
ENOUGH = 0.9  # of the fastest batch's speed: a smaller batch takes more steps in the same time


def operations_per_token(shape: Architecture) -> int:
    """Floating-point operations of forward and backward: two a weight forward, four backward.

    The products only: layers, and the decoder with its shared embedding.
    """
    layers = sum(4 * out * (size + out) for size, out in shape.layer_sizes())
    return 6 * (layers + shape.embedding * shape.vocabulary)


def tokens_per_second(loop: Loop, timed: int = TIMED) -> float:
    """Of a loop at its start; it is a few steps on after. 0 where an epoch is too short to tell."""
    run = loop.run()
    steps = [record for record in islice(run, WARM + timed) if isinstance(record, Step)][WARM:]
    run.close()
    return median(step.tokens / step.seconds for step in steps) if steps else 0.0


def speeds(
    make: Callable[[int], Loop], batches: Sequence[int], until: float
) -> Iterator[tuple[int, float]]:
    """(batch, tokens/s) for rising batches, while they fit and there is time."""
    for batch in sorted(batches):
        if time.monotonic() > until:
            return
        try:
            yield batch, tokens_per_second(make(batch))
        except torch.OutOfMemoryError:
            return


def chosen(measured: dict[int, float]) -> int:
    """The smallest batch that is nearly as fast as the fastest."""
    best = max(measured.values())
    return min(batch for batch, speed in measured.items() if speed >= ENOUGH * best)


def matrix_rate(device: torch.device, size: int = 8192, repeats: int = 20) -> float:
    """Operations/s of one large bf16 product of random numbers: what nothing here can exceed."""
    a, b = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
    for _ in range(3):
        c = a @ b
    c[0, 0].item()  # waits for the device
    started = time.perf_counter()
    for _ in range(repeats):
        c = a @ b
    c[0, 0].item()
    return 2 * size**3 * repeats / (time.perf_counter() - started)
