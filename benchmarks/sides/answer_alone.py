"""Any system: texts of 100 words, one call each; every call has texts it has not seen."""

import importlib
import json
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any


def prepare(folder: Path, options: dict[str, Any]):
    texts = cycle(json.loads((folder / "single.json").read_text()))
    system = importlib.import_module(options["system"])
    answers = system.opened(folder / options["system"], **options.get("how", {}))

    def work() -> dict[str, Any]:
        given = list(islice(texts, options["texts"]))
        started = time.perf_counter()
        for text in given:
            answers([text])
        return {"work": len(given), "seconds": time.perf_counter() - started}

    return work
