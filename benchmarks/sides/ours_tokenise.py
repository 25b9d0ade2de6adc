"""Ours: texts to ids on disk, as `ulmfit train` does it."""

import resource
import shutil
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import documents

from ulmfit.pretrained import DEFAULT, open_pretrained
from ulmfit.text.id_files import write_ids


def _of_size(texts: list[str], size: int) -> Iterator[str]:
    """Texts again and again until they have so many bytes."""
    for text in cycle(texts):
        size -= len(text.encode())
        if size < 0:
            return
        yield text


def prepare(folder: Path, options: dict[str, Any]):
    texts, _ = documents.texts(folder / "train.json", options.get("texts"))
    encoder = open_pretrained(DEFAULT).encoder
    megabytes = options.get("megabytes")

    def work() -> dict[str, Any]:
        given = _of_size(texts, megabytes * 1_000_000) if megabytes else texts
        started = time.perf_counter()
        stats = write_ids(given, encoder, folder / "written", workers=options["workers"])
        seconds = time.perf_counter() - started
        shutil.rmtree(folder / "written")
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        told = {"tokens": stats.tokens, "worker_mb": child}
        return {"work": stats.documents, "seconds": seconds, **told}

    return work
