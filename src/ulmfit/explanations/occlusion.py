"""How far the answer moves when a word is cut out of the text.

Source: Li, Monroe and Jurafsky 2016, "Understanding neural networks through representation
erasure". Chosen over gradients by measure: without the words it puts first, an answer falls
further (LOG, "Words that moved the answer").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.manifest import TargetConfig
from ulmfit.predict import Predictor
from ulmfit.targets.answers import SMALLEST, probabilities, values
from ulmfit.targets.kinds import Floats

Span = tuple[int, int]


def falls_without(
    predictor: Predictor, text: str, words: Sequence[Span], label: int | None
) -> Floats:
    """(words,): what each word adds to the answer: that for the text less that without the word.

    Args:
        predictor: of a classifier.
        text: any.
        words: first character of each, and the one behind its last.
        label: whose log-odds, in nats, are the answer; None for the value of a real-valued model.
    """
    without = (text[:start] + text[end:] for start, end in words)
    logits = np.stack(list(predictor.logits((text, *without))))
    held = answers(logits, predictor.target, label)
    falls: Floats = held[0] - held[1:]
    return falls


def answers(logits: Floats, target: TargetConfig, label: int | None) -> Floats:
    """(texts, directions, outputs) -> (texts,): log-odds of the label in nats, or values."""
    if label is None:
        return values(logits, target.mean, target.scale)
    of_label = probabilities(logits, target.kind, target.temperature)[:, label]
    inside = of_label.clip(SMALLEST, 1 - SMALLEST)
    log_odds: Floats = np.log(inside) - np.log1p(-inside)
    return log_odds
