"""The model and the loop that this study trains, from what the command line says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from ulmfit.bundle import Direction
from ulmfit.corpus import Corpus, open_corpus
from ulmfit.data.stream import Documents
from ulmfit.device import Precision
from ulmfit.language_modelling import Hardware, language_model_loop
from ulmfit.model import lstm_choice
from ulmfit.model.awd_lstm import Architecture
from ulmfit.model.heads import LanguageModel
from ulmfit.presets import PRETRAINING, LanguageModelSettings
from ulmfit.stages.pretrain import log_frequencies, untrained
from ulmfit.stream_task import LanguageModelTask
from ulmfit.text.encoder import Encoder
from ulmfit.training.loop import Loop

REFERENCE_BATCH = 64  # for which `rate` is given; Adam's grows with the root of the batch


@dataclass(frozen=True)
class Asked:
    """What to train, and on what."""

    data: Path
    direction: Direction = "forward"
    embedding: int = 400
    hidden: int = 1152  # the papers' 1150, rounded to what matrix units like
    layers: int = 3
    rate: float = 4e-3
    """peak at a batch of 64"""
    dropout: float = 0.5
    """times the scripts' dropouts; PAPER, "pretraining: x 0.5", for several epochs"""
    seed: int = 0
    device: str = "auto"
    precision: Precision = "bf16"
    variable_bptt: bool = False
    """documents are shuffled anew each epoch, so borders fall elsewhere without it"""
    path: Literal["steps", "native"] = "steps"
    """of the LSTM on a GPU: this project's, or cuDNN's"""
    record: bool = True
    """on a GPU: launch a step as one, rather than each of its kernels by itself"""

    def settings(self, batch: int) -> LanguageModelSettings:
        """The pretraining settings, for several epochs."""
        dropouts = PRETRAINING.dropouts.scaled(self.dropout / 0.2)  # a fifth of the scripts' there
        return replace(
            PRETRAINING,
            dropouts=dropouts,
            batch=batch,
            peak=self.rate * (batch / REFERENCE_BATCH) ** 0.5,
            variable_bptt=self.variable_bptt,
        )


class Maker:
    """Opens the data once and makes loops over it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        lstm_choice.ON_GPU = asked.path
        self.corpus: Corpus = open_corpus(asked.data / "corpus")
        self.encoder = Encoder.load(asked.data / "tokenizer.json")
        self.shape = Architecture(
            len(self.encoder.vocab), asked.embedding, asked.hidden, asked.layers
        )
        self._frequencies = log_frequencies(self.corpus, self.shape.vocabulary)

    def model(self, settings: LanguageModelSettings) -> LanguageModel:
        """A model that has not learned yet."""
        torch.manual_seed(self.asked.seed)
        return untrained(self.shape, settings, self._frequencies)

    def loop(self, batch: int) -> tuple[Loop[LanguageModelTask], Documents]:
        """A loop at its start, and what is held out."""
        settings = self.asked.settings(batch)
        loop, held_out = language_model_loop(
            self.model(settings),
            self.corpus,
            settings.phases(self.shape.layers + 1),
            settings.optimisation(),
            self.asked.seed,
            self.asked.direction,
            Hardware(self.asked.device, self.asked.precision),
        )
        loop.record = loop.record and self.asked.record
        return loop, held_out
