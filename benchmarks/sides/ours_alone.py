"""Ours: documents of 100 tokens, one call each, ids in."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import ours_model

from ulmfit import device as devices
from ulmfit.reading import DocumentReader
from ulmfit.text.specials import PADDING_ID

TOKENS = 100


def prepare(folder: Path, options: dict[str, Any]):
    devices.pick_device("cpu")
    ids = np.load(folder / "corpus" / "ids.npy")
    model = ours_model.classifier(folder / options["weights"]).eval()
    reader = DocumentReader(model, PADDING_ID, options["precision"])
    count, taken = options["texts"], 0

    def work() -> dict[str, Any]:
        nonlocal taken
        given = np.take(ids, range(taken, taken + count * TOKENS), mode="wrap")
        taken += count * TOKENS
        started = time.perf_counter()
        answers = [reader.logits([one]) for one in given.reshape(count, TOKENS)]
        return {"work": len(answers), "seconds": time.perf_counter() - started}

    return work
