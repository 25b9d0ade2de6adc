"""fastai: an epoch of the classifier's training, by its learner."""

import time
from pathlib import Path
from typing import Any

import documents
import fastai_model
from fastai.callback.training import GradientClip

RATE = 1e-4


def prepare(folder: Path, options: dict[str, Any]):
    given, labels = documents.load(folder / "train")
    dls = fastai_model.loaders(given, labels, options["batch"])
    model = fastai_model.classifier(folder / options["weights"])
    callbacks = [GradientClip(options["clip"]), fastai_model.NoValidation()]
    learn = fastai_model.learner(dls, model, cbs=callbacks)
    if options["frozen"]:
        learn.freeze()

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        with learn.no_bar(), learn.no_logging():
            learn.fit(1, RATE)
        seconds = time.perf_counter() - started
        return {"work": len(given), "seconds": seconds, "loss": float(learn.recorder.losses[-1])}

    return work
