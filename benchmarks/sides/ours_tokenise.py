"""Ours: texts to ids on disk, as `ulmfit train` does it."""

import re
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import documents
from children import Watched

from ulmfit.pretrained import FASTER, open_pretrained
from ulmfit.text.id_files import write_ids

LONGER = re.compile(r"\b[a-z]{6,}\b")


def _of_size(texts: list[str], size: int) -> Iterator[str]:
    """Texts again and again, with longer words of their own each time, of so many bytes in all."""
    for time_over in count():
        ending = "".join(chr(ord("a") + int(digit)) for digit in str(time_over))
        for text in texts:
            given = LONGER.sub(rf"\g<0>{ending}", text) if time_over else text
            size -= len(given.encode())
            if size < 0:
                return
            yield given


def prepare(folder: Path, options: dict[str, Any]):
    texts, _ = documents.texts(folder / "train.json", options.get("texts"))
    encoder = open_pretrained(FASTER).encoder
    megabytes = options.get("megabytes")

    def work() -> dict[str, Any]:
        given = _of_size(texts, megabytes * 1_000_000) if megabytes else texts
        with Watched() as workers:
            started = time.perf_counter()
            stats = write_ids(given, encoder, folder / "written", workers=options["workers"])
            seconds = time.perf_counter() - started
        shutil.rmtree(folder / "written")
        told = {"tokens": stats.tokens, "worker_mb": workers.megabytes}
        return {"work": stats.documents, "seconds": seconds, **told}

    return work
