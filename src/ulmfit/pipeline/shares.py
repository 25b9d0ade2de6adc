"""How a time budget is shared by the language model and the classifiers that stand on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from ulmfit.budget import Budget
from ulmfit.pipeline.pseudo_labels import PIECE
from ulmfit.presets import Preset

LANGUAGE_MODEL_SHARE = 0.6  # of the time for training that a budget leaves, at least
CLASSIFIER_TOKEN = 2.0  # seconds of a token against the language model's, as short texts have it
TOKENS_A_WORD = 1.3  # of words between spaces: signs and capitals have tokens of their own


def language_models_part(
    budget: Budget,
    texts: Sequence[str],
    rows: int,
    chosen: Preset,
    models: int,
    layers: int,
    taught: int = 0,
) -> Budget:
    """The language model's part: its share, and what the classifiers do not need of theirs.

    Args:
        budget: of all of them.
        texts: a sample of those that a classifier learns from (`afterwards.sample`).
        rows: how many it learns from.
        chosen: the preset.
        models: how many classifiers there are, that of each direction counted.
        layers: of the language model.
        taught: texts that a teacher labels beside those rows; of each a piece is learned from.
    """
    document = TOKENS_A_WORD * fmean(len(text.split()) + 1 for text in texts)
    settings = chosen.classifier.long_enough(math.ceil((rows + taught) / chosen.classifier.batch))
    epochs = sum(phase.epochs for phase in settings.phases(layers + 2))
    tokens = rows * document + taught * min(document, 1 + PIECE)
    spared = round(CLASSIFIER_TOKEN * models * epochs * tokens)
    return budget.part(LANGUAGE_MODEL_SHARE, spared)
