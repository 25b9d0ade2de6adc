"""fastai: steps of the language model's training, by its learner."""

import time
from pathlib import Path
from typing import Any

import documents
import fastai_model
import torch
from fastai.callback.training import GradientClip
from fastai.text.all import (
    AWD_LSTM,
    CrossEntropyLossFlat,
    DataLoaders,
    LMDataLoader,
    LMLearner,
    LMTensorText,
    awd_lstm_lm_config,
    awd_lstm_lm_split,
    get_language_model,
)

RATE = 1e-4


def prepare(folder: Path, options: dict[str, Any]):
    sizes = options["architecture"]
    batch, bptt, windows = options["batch"], options["bptt"], options["windows"]
    config = {
        **awd_lstm_lm_config,
        **{"emb_sz": sizes["embedding"], "n_hid": sizes["hidden"], "n_layers": sizes["layers"]},
    }
    model = get_language_model(AWD_LSTM, sizes["vocabulary"], config)
    ids = torch.from_numpy(documents.stream(folder / "corpus", batch * bptt * windows + 1))
    loader = LMDataLoader([LMTensorText(ids)], lens=[len(ids)], bs=batch, seq_len=bptt)
    learn = LMLearner(
        DataLoaders(loader, loader),
        model,
        loss_func=CrossEntropyLossFlat(),
        splitter=awd_lstm_lm_split,
        cbs=[GradientClip(options["clip"]), fastai_model.NoValidation()],
    )

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        with learn.no_bar(), learn.no_logging():
            learn.fit(1, RATE)
        seconds = time.perf_counter() - started
        loss = float(learn.recorder.losses[-1])
        return {"work": batch * bptt * windows, "seconds": seconds, "loss": loss}

    return work
