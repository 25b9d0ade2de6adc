"""Stage 2: the language model on the user's own text (v1, sec. 4.2; v2, sec. 3.2)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ulmfit.budget import Budget
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus, split_documents, word_counts
from ulmfit.data.stream import Documents
from ulmfit.language_modelling import (
    VALID_FRACTION,
    Hardware,
    language_model_loop,
    train_directions,
)
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.frequencies import match_frequencies
from ulmfit.model.heads import LanguageModel
from ulmfit.model.transfer import transfer_rows
from ulmfit.presets import LanguageModelSettings
from ulmfit.run import Progress
from ulmfit.stream_task import LanguageModelTask
from ulmfit.text.encoder import Encoder
from ulmfit.training.loop import Loop

VOCABULARY_TENSORS = ("encoder.embedding", "decoder_bias")
"""rows that belong to words"""
SAMPLE_ROWS, SAMPLE_STEPS = 64, 140  # 9,000 tokens: seconds for the papers' model


def finetune(
    bundle: Bundle,
    corpus: Corpus,
    encoder: Encoder,
    settings: LanguageModelSettings,
    folder: Path,
    *,
    directions: Sequence[Direction] = ("forward",),
    seed: int = 0,
    hardware: Hardware = Hardware(),
    preset: str = "default",
    budget: Budget | None = None,
) -> Generator[Progress, None, Bundle]:
    """Fine-tune the models of `bundle` on a corpus.

    Args:
        bundle: a language model.
        corpus: the user's text, encoded with `encoder`.
        encoder: its vocabulary may differ from the bundle's; rows are matched by word.
        settings: rates, dropouts, schedule, unfreezing, epochs.
        folder: for checkpoints; a killed call goes on from there.
        directions: which models to fine-tune; each must be in the bundle.
        seed: draws dropout and the order of documents.
        hardware: device and precision.
        preset: the name to keep in the bundle.
        budget: of all directions; the windows of an epoch are cut to fit.

    Returns:
        A language-model bundle with the new vocabulary and the weights of the best epoch.

    Raises:
        InputError: the bundle holds no such model.
    """
    moved = with_vocabulary(bundle, encoder)
    for direction in directions:
        moved.require("language-model", direction)
    trained = yield from train_directions(
        lambda direction: _model(moved, direction, settings, corpus),
        directions,
        corpus,
        settings.phases(moved.architecture.layers + 1),
        settings.optimisation(),
        folder,
        seed=seed,
        hardware=hardware,
        stage="fine-tuning the language model",
        budget=budget,
    )
    weights = {direction: model.weights for direction, model in trained.items()}
    metrics: dict[str, Any] = {d: model.metrics for d, model in trained.items()}
    return replace(moved, weights=weights, metrics=metrics, preset=preset)


def finetuning_loop(
    bundle: Bundle,
    corpus: Corpus,
    encoder: Encoder,
    settings: LanguageModelSettings,
    *,
    direction: Direction = "forward",
    seed: int = 0,
    hardware: Hardware = Hardware(),
) -> Loop[LanguageModelTask]:
    """The loop of one direction as `finetune` begins it, for whoever wants to look at it.

    Args: as `finetune`.

    Raises:
        InputError: as `finetune`.
    """
    moved = with_vocabulary(bundle, encoder)
    moved.require("language-model", direction)
    torch.manual_seed(seed)
    phases = settings.phases(moved.architecture.layers + 1)
    model, how = _model(moved, direction, settings, corpus), settings.optimisation()
    return language_model_loop(model, corpus, phases, how, seed, direction, hardware)[0]


def _model(
    bundle: Bundle, direction: Direction, settings: LanguageModelSettings, corpus: Corpus
) -> LanguageModel:
    encoder = AWDLSTM(bundle.architecture, settings.dropouts)
    model = LanguageModel(encoder, settings.alpha, settings.beta, settings.softmax)
    model.load_state_dict(bundle.weights[direction])
    if settings.match_frequencies:
        train = split_documents(corpus.lengths, VALID_FRACTION)[0]
        sample = _sample(corpus.documents(train, direction == "backward"))
        match_frequencies(model, sample, word_counts(corpus, len(model.decoder_bias), train))
    return model


def _sample(documents: Documents) -> Tensor:
    """(time, batch) pieces from all over a stream."""
    rows = max(1, min(SAMPLE_ROWS, len(documents) // SAMPLE_STEPS))
    starts = [len(documents) * row // rows for row in range(rows)]
    steps = min(SAMPLE_STEPS, len(documents))
    pieces = [documents.read(start, start + steps) for start in starts]
    return torch.from_numpy(np.stack(pieces, 1))


def with_vocabulary(bundle: Bundle, encoder: Encoder) -> Bundle:
    """The same language model over the words of another encoder."""
    bundle.require("language-model")
    old, new = bundle.encoder.vocab.tokens, encoder.vocab.tokens
    weights: dict[Direction, dict[str, Tensor]] = {
        direction: {
            name: transfer_rows(tensor, old, new) if name in VOCABULARY_TENSORS else tensor
            for name, tensor in tensors.items()
        }
        for direction, tensors in bundle.weights.items()
    }
    architecture = replace(bundle.architecture, vocabulary=len(new))
    return replace(bundle, architecture=architecture, encoder=encoder, weights=weights)
