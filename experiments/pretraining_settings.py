"""How to pretrain: held-out nats and speed of short runs over a prepared corpus.

`folder` is the run folder of an `ulmfit pretrain` that has turned its texts into ids.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ulmfit.corpus import open_corpus
from ulmfit.model import sampled_softmax
from ulmfit.model.awd_lstm import Architecture
from ulmfit.presets import PRETRAINING, LanguageModelSettings
from ulmfit.stages.pretrain import pretrain
from ulmfit.text.encoder import Encoder

FULL = replace(PRETRAINING, softmax="full")
SAMPLED = replace(PRETRAINING, softmax="sampled")
LARGE = replace(SAMPLED, batch=128)  # what the sizes are compared with


@dataclass(frozen=True)
class Setting:
    """What one short run tries."""

    embedding: int = 256
    hidden: int = 512
    layers: int = 2
    settings: LanguageModelSettings = SAMPLED
    sample: int = 2048
    """common words counted, and rare ones drawn"""


SETTINGS: dict[str, Setting] = {
    "full softmax": Setting(settings=FULL),
    "sampled, 2048 + 2047": Setting(),
    "sampled, 4096 + 4095": Setting(sample=4096),
    "sampled, 1024 + 1023": Setting(sample=1024),
    "peak 8e-3": Setting(settings=replace(SAMPLED, peak=8e-3)),
    "peak 2e-3": Setting(settings=replace(SAMPLED, peak=2e-3)),
    "batch 128": Setting(settings=replace(SAMPLED, batch=128)),
    "batch 32": Setting(settings=replace(SAMPLED, batch=32)),
    "256/512/2": Setting(settings=LARGE),
    "256/768/2": Setting(hidden=768, settings=LARGE),
    "256/640/3": Setting(hidden=640, layers=3, settings=LARGE),
    "320/640/2": Setting(embedding=320, hidden=640, settings=LARGE),
    "320/768/2": Setting(embedding=320, hidden=768, settings=LARGE),
    "400/768/3": Setting(embedding=400, hidden=768, layers=3, settings=LARGE),
    "400/900/2": Setting(embedding=400, hidden=900, settings=LARGE),
    "400/900/3": Setting(embedding=400, hidden=900, layers=3, settings=LARGE),
}


def main() -> None:
    """Print one line for each setting asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS))
    asked = parser.parse_args()
    corpus = open_corpus(asked.folder / "corpus")
    encoder = Encoder.load(asked.folder / "tokenizer.json")
    for name in asked.settings:
        tried = SETTINGS[name]
        sampled_softmax.HEAD, sampled_softmax.SAMPLE = tried.sample, tried.sample - 1
        shape = Architecture(len(encoder.vocab), tried.embedding, tried.hidden, tried.layers)
        steps = round(asked.tokens / (tried.settings.batch * tried.settings.bptt))
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(corpus, encoder, shape, tried.settings, Path(folder), max_steps=steps)
            try:
                while True:
                    next(run)
            except StopIteration as end:
                loss = end.value.metrics["forward"]["validation"]["loss"]
        seconds = time.perf_counter() - started
        print(f"{name}: {loss:.4f} nats, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
