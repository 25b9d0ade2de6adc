"""Any system: the probabilities of texts, from the text on."""

import importlib
import time
from pathlib import Path
from typing import Any

import documents


def prepare(folder: Path, options: dict[str, Any]):
    texts, _ = documents.texts(folder / "test.json")
    system = importlib.import_module(options["system"])
    answers = system.opened(folder / options["system"], **options.get("how", {}))

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        answers(texts)
        return {"work": len(texts), "seconds": time.perf_counter() - started}

    return work
