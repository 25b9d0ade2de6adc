"""Ours: an epoch of the classifier's training, by the house's loop and task.

The dropouts are the papers', which are fastai's defaults too: the output's is in the head.
"""

import time
from itertools import islice
from pathlib import Path
from typing import Any

import documents
import ours_model
import torch

from ulmfit import device as devices
from ulmfit.model.dropout import Dropouts
from ulmfit.tasks import ClassifierTask, classifier_groups
from ulmfit.text.specials import PADDING_ID
from ulmfit.training.layer_groups import Phase
from ulmfit.training.loop import Loop, Step
from ulmfit.training.schedules import SCHEDULES

RATE = 1e-4
EPOCHS = 10_000  # more than will be taken


def prepare(folder: Path, options: dict[str, Any]):
    device = devices.pick_device("cpu")
    torch.manual_seed(0)
    given, labels = documents.load(folder / "train")
    model = ours_model.classifier(folder / options["weights"], Dropouts(output=0))
    groups = classifier_groups(model)
    thawed = tuple(range(len(groups)))[-1 if options["frozen"] else 0 :]
    rates = tuple(RATE for _ in groups)
    phases = [Phase("all", EPOCHS, thawed, rates, SCHEDULES["constant"])]
    task = ClassifierTask(model, given, labels, options["batch"], 0, PADDING_ID)
    precision = options["precision"]
    loop = Loop(
        model, groups, task, phases, clip=options["clip"], device=device, precision=precision
    )
    records = (record for record in loop.run() if isinstance(record, Step))

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        taken = list(islice(records, task.steps(0)))
        seconds = time.perf_counter() - started
        return {"work": len(given), "seconds": seconds, "loss": taken[-1].loss}

    return work
