"""Real values: how far from the true ones the answers are, and whether their order is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.metrics.checks import Floats, numbers, same_length


@dataclass(frozen=True, slots=True)
class ValueScores:
    """What is known of a model of real values after one pass over labelled texts."""

    mae: float  # mean distance, in the values' units
    rmse: float  # root of the mean squared distance
    r2: float  # share of the variance that is explained; 0: as good as the mean, below: worse
    spearman: float  # correlation of the ranks, -1 to 1
    n: int  # texts


def score_values(truth: ArrayLike, predicted: ArrayLike) -> ValueScores:
    """All figures at once; both are (texts,).

    Raises:
        InputError: lengths differ, or a value is not finite.

    >>> score_values([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).spearman
    1.0
    """
    true, given = numbers(truth, "truth"), numbers(predicted, "predicted")
    same_length(true, given)
    squared = float(((true - given) ** 2).mean())
    return ValueScores(
        mae=float(np.abs(true - given).mean()),
        rmse=squared**0.5,
        r2=_explained(float(((true - true.mean()) ** 2).mean()), squared),
        spearman=spearman(true, given),
        n=len(true),
    )


def spearman(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Correlation of the ranks, equal values sharing their mean rank; 0 where all are equal.

    Source: Spearman 1904, "The proof and measurement of association between two things".
    """
    true, given = numbers(truth, "truth"), numbers(predicted, "predicted")
    same_length(true, given)
    left, right = _centred_ranks(true), _centred_ranks(given)
    size = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / size if size else 0.0


def _explained(variance: float, squared: float) -> float:
    if variance:
        return 1 - squared / variance
    return 0.0 if squared else 1.0  # as scikit-learn does


def _centred_ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    centred: Floats = ranks - ranks.mean()
    return centred
