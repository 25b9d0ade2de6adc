"""The machine's own rate: one large matrix product, in the type that is asked for."""

import time
from pathlib import Path
from typing import Any

import torch

SIZE = 2048


def prepare(folder: Path, options: dict[str, Any]):
    dtype = getattr(torch, options["dtype"])
    a, b = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
    times = options["times"]

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        for _ in range(times):
            torch.mm(a, b)
        return {"work": 2 * SIZE**3 * times, "seconds": time.perf_counter() - started}

    return work
