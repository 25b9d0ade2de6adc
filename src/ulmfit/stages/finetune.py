"""Stage 2: the language model on the user's own text (v1, sec. 3.2; v2, sec. 3.2)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus
from ulmfit.language_modelling import Hardware, train_directions
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.heads import LanguageModel
from ulmfit.model.transfer import transfer_rows
from ulmfit.presets import LanguageModelSettings
from ulmfit.run import Progress
from ulmfit.text.encoder import Encoder

VOCABULARY_TENSORS = ("encoder.embedding", "decoder_bias")
"""rows that belong to words"""


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
    budget: float | None = None,
) -> Generator[Progress, None, Bundle]:
    """Fine-tune the models of `bundle` on a corpus.

    Args:
        bundle: a language model.
        corpus: the user's text, encoded with `encoder`.
        encoder: its vocabulary may differ from the bundle's; rows are matched by word.
        settings: rates, dropouts, schedule, unfreezing, epochs.
        folder: for checkpoints; a killed call goes on from there.
        directions: which models to fine-tune; each must be in the bundle.
        seed: draws dropout, the order of documents and the validation split.
        hardware: device and precision.
        preset: the name to keep in the bundle.
        budget: seconds for each direction; the windows of an epoch are cut to fit.

    Returns:
        A language-model bundle with the new vocabulary and the weights of the best epoch.

    Raises:
        InputError: the bundle holds no such model.
    """
    moved = with_vocabulary(bundle, encoder)
    for direction in directions:
        moved.require("language-model", direction)

    def make(direction: Direction) -> LanguageModel:
        encoder_model = AWDLSTM(moved.architecture, settings.dropouts)
        model = LanguageModel(encoder_model, settings.alpha, settings.beta, settings.softmax)
        model.load_state_dict(moved.weights[direction])
        return model

    trained = yield from train_directions(
        make,
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
