"""Ours as a user gets it: the default language model under a classifier, texts in.

The head's weights are drawn, not learned: they cost the same. What training would have found of
int8 is written for it (LOG, "int8 by default").
"""

from collections.abc import Callable
from pathlib import Path

from ulmfit import Predictor, load
from ulmfit.bundle import Bundle, HeadConfig, save
from ulmfit.language_modelling import weights_of
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.pretrained import FASTER, open_pretrained

NAMES = ["neg", "pos"]


def fit(texts: list[str], labels: list[str], path: Path) -> None:
    """A classifier's bundle; it learns nothing from the texts."""
    source = open_pretrained(FASTER)
    weights = {}
    for direction in source.directions:
        encoder = source.language_model(direction, Dropouts(0, 0, 0, 0, 0)).encoder
        assert isinstance(encoder, AWDLSTM)
        head = PooledClassifier(source.architecture.embedding, len(NAMES))
        weights[direction] = weights_of(TextClassifier(encoder, head))
    about = ("classifier", source.architecture, source.encoder, weights, "default", NAMES)
    metrics = {"int8": {"alike": True, "levels": 75}}  # LOG, "int8 by default": checked on AVX2
    save(
        Bundle(*about, head=HeadConfig(), metrics=metrics),
        path,
        "A classifier that has learned nothing.",
    )


def opened(path: Path, precision: str = "auto") -> Callable[[list[str]], list[float]]:
    """What answers texts with the probability of "pos"."""
    predictor = Predictor(load(path), precision=precision)
    return lambda texts: [float(row[1]) for row in predictor.probabilities(texts)]
