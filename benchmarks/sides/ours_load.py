"""Ours: a classifier's bundle from disk, checked to the byte."""

import time
from pathlib import Path
from typing import Any

from ulmfit import load


def prepare(folder: Path, options: dict[str, Any]):
    def work() -> dict[str, Any]:
        started = time.perf_counter()
        load(folder / "system_ours")
        return {"work": 1, "seconds": time.perf_counter() - started}

    return work
