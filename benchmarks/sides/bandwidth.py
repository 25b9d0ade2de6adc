"""The machine's own rate: bytes read from memory, by a sum over more than a cache holds."""

import time
from pathlib import Path
from typing import Any

import torch

BYTES = 1 << 29


def prepare(folder: Path, options: dict[str, Any]):
    values = torch.ones(BYTES // 4)

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        values.sum()
        return {"work": BYTES, "seconds": time.perf_counter() - started}

    return work
