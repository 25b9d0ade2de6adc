"""The whole road on a tiny corpus, in a process of its own each time a line comes in.

``python road.py`` loads torch once; each line on its standard input is a number of seconds and a
folder. It forks, kills the child after so many seconds ("inf": never), and tells how it ended.
The child encodes, fine-tunes the language model, fine-tunes a classifier on it, and saves both,
with a checkpoint at each step.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch._dynamo  # the first optimizer of a process imports it: a second, before the forks

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.corpus import prepare
from ulmfit.language_modelling import Hardware
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.presets import V2
from ulmfit.run import Run
from ulmfit.stages.classify import Labelled, classify
from ulmfit.stages.finetune import finetune
from ulmfit.text import build_encoder

FP32 = Hardware("cpu", "fp32")
Result = TypeVar("Result")


def texts() -> list[str]:
    draw = random.Random(0)
    words = ["a", "film", "of", "plot", "and", "story", "end", "good", "bad", "great", "dull"]
    return [" ".join(draw.choices(words, k=draw.randint(5, 40))) for _ in range(24)]


def finish(stage: Generator[Any, None, Result]) -> Result:
    while True:
        try:
            next(stage)
        except StopIteration as end:
            result: Result = end.value
            return result


def road(folder: Path) -> None:
    encoder = build_encoder(lambda: iter(texts()), min_count=1)
    corpus = prepare(texts(), encoder, folder / "ids")
    sizes = Architecture(len(encoder.vocab), 6, 8, 2)
    torch.manual_seed(0)
    start = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    lm = Bundle("language-model", sizes, encoder, {"forward": start})
    settings = replace(V2.language_model, batch=4, bptt=10, epochs=2, unfreezing="gradual")
    lm = finish(finetune(lm, corpus, encoder, settings, folder / "lm", hardware=FP32))
    bundles.save(lm, folder / "language-model", "card")
    documents = [encoder.encode(text).astype(np.int64) for text in texts()]
    data = Labelled(documents, np.arange(len(documents)) % 2)
    head = replace(V2.classifier, batch=8, chunk=15, epochs=2)
    model = finish(classify(lm, data, ["no", "yes"], head, folder / "classifier", hardware=FP32))
    bundles.save(model, folder / "model", "card", "int8")


def main() -> None:
    defaults = Run.__init__.__kwdefaults__
    assert defaults is not None
    defaults["checkpoint_seconds"] = 0.0
    for line in sys.stdin:
        seconds, folder = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if not child:
            torch.set_num_threads(1)
            road(Path(folder))
            os._exit(0)
        if seconds != "inf":
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)  # not waited for yet, so the number is still its own
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
