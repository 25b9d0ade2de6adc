"""Any system: ready once a text has been answered by a model from disk."""

import importlib
import json
import time
from pathlib import Path
from typing import Any


def prepare(folder: Path, options: dict[str, Any]):
    text = json.loads((folder / "single.json").read_text())[0]
    started = time.perf_counter()
    system = importlib.import_module(options["system"])
    imported = time.perf_counter()
    answers = system.opened(folder / options["system"])
    opened = time.perf_counter()
    answers([text])
    ready = time.perf_counter()
    told = {"import_s": imported - started, "open_s": opened - imported, "first_s": ready - opened}
    return lambda: told
