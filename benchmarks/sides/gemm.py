"""The machine's own rate: one large matrix product, in the type that is asked for.

By the fastest of several, PyTorch's and ours, as it is a roof: what else runs on the machine makes
some slower.
"""

import time
from pathlib import Path
from typing import Any

import torch

from ulmfit.model.products import product

SIZE = 2048


def prepare(folder: Path, options: dict[str, Any]):
    dtype = getattr(torch, options["dtype"])
    a, b = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
    times = options["times"]

    def work() -> dict[str, Any]:
        each = []
        for _ in range(times):
            for multiply in (torch.mm, product):
                started = time.perf_counter()
                multiply(a, b)
                each.append(time.perf_counter() - started)
        return {"work": 2 * SIZE**3, "seconds": min(each)}

    return work
