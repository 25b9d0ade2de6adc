"""Stage 1: a language model from general text (v2, sec. 3.1)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ulmfit.budget import Budget
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus, word_counts
from ulmfit.language_modelling import Hardware, train_directions
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.growing import grow_into, take_words
from ulmfit.model.heads import LanguageModel
from ulmfit.presets import LanguageModelSettings
from ulmfit.run import Progress
from ulmfit.text.encoder import Encoder


def pretrain(
    corpus: Corpus,
    encoder: Encoder,
    architecture: Architecture,
    settings: LanguageModelSettings,
    folder: Path,
    *,
    directions: Sequence[Direction] = ("forward",),
    seed: int = 0,
    hardware: Hardware = Hardware(),
    max_steps: int | None = None,
    budget: Budget | None = None,
    start: Bundle | None = None,
) -> Generator[Progress, None, Bundle]:
    """Train a language model on general text, one direction after the other.

    Args:
        corpus: encoded with `encoder`.
        encoder: its vocabulary's size must be the architecture's.
        architecture: sizes.
        settings: rates, dropouts, schedule, epochs.
        folder: for checkpoints; a killed call goes on from there.
        directions: which models to train.
        seed: draws weights, dropout and the order of documents.
        hardware: device and precision.
        max_steps: windows of an epoch; None takes all.
        budget: of all directions; the windows of an epoch are cut to fit.
        start: a language model to go on from, of the same vocabulary and layers, each size at
            most the architecture's; a direction that it lacks begins with its words alone, and one
            that is not trained is kept where no size changes. None: from scratch.

    Returns:
        A language-model bundle with the weights of the best epoch.
    """
    frequencies = log_frequencies(corpus, architecture.vocabulary)

    def make(direction: Direction) -> LanguageModel:
        model = untrained(architecture, settings, frequencies)
        if start is not None and direction in start.weights:
            grow_into(model, start.weights[direction])
        elif start is not None:
            take_words(model, start.weights[start.directions[0]])
        return model

    trained = yield from train_directions(
        make,
        directions,
        corpus,
        settings.phases(architecture.layers + 1),
        settings.optimisation(max_steps),
        folder,
        seed=seed,
        hardware=hardware,
        stage="pretraining",
        budget=budget,
    )
    weights = {direction: model.weights for direction, model in trained.items()}
    metrics: dict[str, Any] = {d: model.metrics for d, model in trained.items()}
    if start is not None and start.architecture == architecture:
        kept = [direction for direction in start.directions if direction not in directions]
        weights |= {direction: start.weights[direction] for direction in kept}
        metrics |= {direction: start.metrics.get(direction, {}) for direction in kept}
    return Bundle(
        "language-model", architecture, encoder, weights, preset="pretraining", metrics=metrics
    )


def untrained(
    architecture: Architecture, settings: LanguageModelSettings, frequencies: Tensor
) -> LanguageModel:
    """A model drawn by torch's generator whose decoder's bias is `frequencies`."""
    encoder_model = AWDLSTM(architecture, settings.dropouts)
    model = LanguageModel(encoder_model, settings.alpha, settings.beta, settings.softmax)
    model.decoder_bias.data.copy_(frequencies)
    return model


def log_frequencies(corpus: Corpus, vocabulary: int) -> Tensor:
    """(vocabulary,) log of each word's share of the corpus, every word seen once more than it was.

    The decoder's bias begins there, so that no step is spent on learning how common words are
    (LOG, "Pretraining by short runs").
    """
    counts = word_counts(corpus, vocabulary).double() + 1
    return (counts / counts.sum()).log().float()
