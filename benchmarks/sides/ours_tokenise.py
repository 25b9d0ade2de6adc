"""Ours: texts to ids on disk, two workers, as `ulmfit train` does it."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from ulmfit.pretrained import open_pretrained
from ulmfit.text.id_files import write_ids


def prepare(folder: Path, options: dict[str, Any]):
    texts = json.loads((folder / "train.json").read_text())
    encoder = open_pretrained("en-mini").encoder

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        stats = write_ids(texts, encoder, folder / "ids", workers=options["workers"])
        seconds = time.perf_counter() - started
        shutil.rmtree(folder / "ids")
        return {"work": len(texts), "seconds": seconds, "tokens": stats.tokens}

    return work
