"""Classes that have an order: how far from the true rank the answers are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.metrics.calibration import expected_calibration_error
from ulmfit.metrics.checks import class_ids, distributions, same_length
from ulmfit.metrics.classes import accuracy, confusion_matrix, log_loss, wilson_interval


@dataclass(frozen=True, slots=True)
class RankScores:
    """What is known of an ordinal classifier after one pass over labelled texts."""

    accuracy: float  # share of texts, 0 to 1
    accuracy_ci: tuple[float, float]  # 95%, Wilson
    mae: float  # ranks from the true one, on average
    quadratic_kappa: float  # 1: all right; 0: no better than chance
    log_loss: float  # nats a text
    calibration_error: float  # 0 to 1
    n: int  # texts
    confusion: list[list[int]]  # [true rank][predicted rank], counts


def score_ranks(truth: ArrayLike, predicted: ArrayLike, probabilities: ArrayLike) -> RankScores:
    """All figures at once.

    Args:
        truth: ranks from 0, (texts,).
        predicted: ranks, (texts,).
        probabilities: (texts, ranks), each row summing to 1.

    Raises: InputError as the single figures do.
    """
    ids, rows = distributions(truth, probabilities)
    answers = class_ids(predicted, "predicted")
    confusion = confusion_matrix(ids, answers, rows.shape[1])
    return RankScores(
        accuracy=accuracy(ids, answers),
        accuracy_ci=wilson_interval(int((ids == answers).sum()), len(ids)),
        mae=mean_steps(ids, answers),
        quadratic_kappa=quadratic_kappa(ids, answers),
        log_loss=log_loss(ids, rows),
        calibration_error=expected_calibration_error(ids, rows, predicted=answers),
        n=len(ids),
        confusion=confusion.tolist(),
    )


def mean_steps(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean distance from the true rank, in ranks.

    >>> mean_steps([0, 4], [1, 2])
    1.5
    """
    ids, answers = class_ids(truth, "truth"), class_ids(predicted, "predicted")
    same_length(ids, answers)
    return float(np.abs(ids - answers).mean())


def quadratic_kappa(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Agreement beyond chance, an error of k ranks weighing k squared: at most 1; 0 is chance.

    Where truth and answers are all one rank there is no chance to be better than: 1. Source: Cohen
    1968, "Weighted kappa: nominal scale agreement with provision for scaled disagreement".
    """
    ids, answers = class_ids(truth, "truth"), class_ids(predicted, "predicted")
    same_length(ids, answers)
    by_chance = ((ids[:, None].astype(float) - np.unique(answers)) ** 2).mean(0)  # of each answer
    counts = np.unique(answers, return_counts=True)[1]
    expected = float((by_chance * counts).sum() / len(ids))
    return 1 - float(((ids - answers) ** 2).mean()) / expected if expected else 1.0
