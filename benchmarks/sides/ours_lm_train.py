"""Ours: steps of the language model's training, by the house's loop and task."""

import time
from itertools import islice
from pathlib import Path
from typing import Any

import documents
import numpy as np
import torch

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.stream_task import LanguageModelTask, language_model_groups
from ulmfit.text.id_files import IdStats
from ulmfit.training.layer_groups import all_at_once
from ulmfit.training.loop import Loop, Step
from ulmfit.training.schedules import SCHEDULES

RATE = 1e-4
FASTAI_DROPOUTS = Dropouts(0.1, 0.15, 0.25, 0.02, 0.2)  # its defaults, from the scripts
EPOCHS = 10_000  # more than will be taken


def _corpus(folder: Path, tokens: int) -> Corpus:
    ids = documents.stream(folder / "corpus", tokens).astype(np.uint16)
    return Corpus(folder, ids, np.array([0, tokens]), IdStats(1, tokens, 0, tokens, tokens))


def prepare(folder: Path, options: dict[str, Any]):
    device = devices.pick_device("cpu")
    torch.manual_seed(0)
    sizes = Architecture(**options["architecture"])
    model = LanguageModel(AWDLSTM(sizes, FASTAI_DROPOUTS), softmax=options["softmax"])
    batch, bptt, windows = options["batch"], options["bptt"], options["windows"]
    corpus = _corpus(folder, batch * bptt * windows + 1)
    task = LanguageModelTask(model, corpus, np.arange(1), batch, bptt, 0, variable=False)
    groups = language_model_groups(model)
    phases = all_at_once([RATE] * len(groups), EPOCHS, SCHEDULES["constant"])
    precision = options["precision"]
    loop = Loop(
        model, groups, task, phases, clip=options["clip"], device=device, precision=precision
    )
    steps = (record for record in loop.run() if isinstance(record, Step))

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        taken = list(islice(steps, windows))
        seconds = time.perf_counter() - started
        return {"work": sum(s.tokens for s in taken), "seconds": seconds, "loss": taken[-1].loss}

    return work
