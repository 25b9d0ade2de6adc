"""Ours: probabilities of the shared documents."""

import time
from pathlib import Path
from typing import Any

import documents
import ours_model

from ulmfit import device as devices
from ulmfit.reading import DocumentReader
from ulmfit.targets.answers import probabilities
from ulmfit.text.specials import PADDING_ID


def prepare(folder: Path, options: dict[str, Any]):
    devices.pick_device("cpu")
    given, _ = documents.load(folder / "test")
    model = ours_model.classifier(folder / options["weights"]).eval()
    reader = DocumentReader(model, PADDING_ID, options["precision"])

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        rows = probabilities(reader.logits(given)[:, None], "single")
        seconds = time.perf_counter() - started
        return {"work": len(given), "seconds": seconds, "answers": rows[:, 1].tolist()}

    return work
