"""fastai: probabilities of the shared documents by `Learner.get_preds`."""

import time
from pathlib import Path
from typing import Any

import documents
import fastai_model


def prepare(folder: Path, options: dict[str, Any]):
    given, labels = documents.load(folder / "test")
    dls = fastai_model.loaders(given, labels, options["batch"])
    learn = fastai_model.learner(dls, fastai_model.classifier(folder / options["weights"]))

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        with learn.no_bar(), learn.no_logging():
            rows, _ = learn.get_preds(dl=dls.valid)
        seconds = time.perf_counter() - started
        return {"work": len(given), "seconds": seconds, "answers": rows[:, 1].tolist()}

    return work
