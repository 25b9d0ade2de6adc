"""Any system: learn from texts and save what was learned."""

import importlib
import time
from pathlib import Path
from typing import Any

import documents


def prepare(folder: Path, options: dict[str, Any]):
    texts, labels = documents.texts(folder / "train.json", options["texts"])
    system = importlib.import_module(options["system"])
    path = folder / options["system"]

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        system.fit(texts, labels, path)
        return {"work": len(texts), "seconds": time.perf_counter() - started}

    return work
