"""Probabilities -> what is answered, how sure it is, and where it is better left open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ulmfit.targets.kinds import Floats, Kind, Labels

EVEN = 0.5
FEW = 20  # texts with a class; from fewer its threshold overfits (LOG, "Thresholds of rare labels")


def decide(probabilities: Floats, kind: Kind, thresholds: Sequence[float] = ()) -> Labels:
    """The answers (texts, ...), as labels of this kind.

    Single: the most probable class, the first of equals. Multi: every class whose probability
    reaches its threshold (0.5 where none are given). Ordinal: the median rank, which has the
    smallest expected distance in ranks.
    """
    answers: Labels
    if kind == "multi":
        answers = probabilities >= (np.array(thresholds) if len(thresholds) else EVEN)
    elif kind == "ordinal":
        below = (np.cumsum(probabilities, 1) < EVEN).sum(1)
        answers = np.minimum(below, probabilities.shape[1] - 1)
    else:
        answers = probabilities.argmax(1)
    return answers


def confidence(probabilities: Floats, answers: Labels, kind: Kind) -> Floats:
    """How probable it is that each answer is right, whole: (texts,).

    Of multi-label, the product over the classes, as if they were independent.
    """
    if kind == "multi":
        given: Floats = np.where(answers, probabilities, 1 - probabilities).prod(1)
        return given
    chosen: Floats = probabilities[np.arange(len(answers)), answers]
    return chosen


def right(answers: Labels, labels: Labels) -> NDArray[np.bool_]:
    """Whether each answer is right, whole: (texts,)."""
    same = (answers == labels).reshape(len(labels), -1)
    whole: NDArray[np.bool_] = np.all(same, axis=1)
    return whole


def choose_thresholds(probabilities: Floats, labels: Labels) -> tuple[float, ...]:
    """The threshold of each class that gives it the best F1 on these texts.

    A class that fewer than `FEW` of them have takes the one threshold that gives the best F1 over
    all classes together. Source: Yang 2001, "A study of thresholding strategies for text
    categorization" (SCut); Fan and Lin 2007, "A study on threshold selection for multi-label
    classification" (too few texts overfit).

    Args:
        probabilities: (texts, classes), of texts that were not learned from.
        labels: (texts, classes).
    """
    common = best_threshold(probabilities.ravel(), labels.ravel())
    return tuple(
        best_threshold(probabilities[:, c], labels[:, c]) if labels[:, c].sum() >= FEW else common
        for c in range(labels.shape[1])
    )


def best_threshold(probabilities: Floats, labels: Labels) -> float:
    """The threshold with the best F1; of equals the one nearest to 0.5. Both (texts,)."""
    if not labels.any():
        return EVEN
    order = np.argsort(-probabilities, kind="stable")
    sure, hits = probabilities[order], np.cumsum(labels[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + labels.sum())  # of taking the first so many
    below = np.append(sure[1:], 0.0)
    cut = np.flatnonzero(sure > below)  # equal probabilities cannot be told apart
    middles = (sure[cut] + below[cut]) / 2
    best = middles[f1[cut] == f1[cut].max()]
    return float(best[np.argmin(np.abs(best - EVEN))])


def sure_enough(confidences: Floats, coverage: float) -> float:
    """The least confidence with which at least that share of the texts is answered."""
    ranked = np.sort(confidences)[::-1]
    return float(ranked[max(1, int(np.ceil(coverage * len(ranked)))) - 1])
