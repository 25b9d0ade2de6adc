"""One class a text: how good a classifier is.

Classes are integer ids from 0; probabilities are ``(texts, classes)``, each row summing to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.errors import InputError
from ulmfit.metrics.calibration import expected_calibration_error
from ulmfit.metrics.checks import Ids, class_ids, distributions, same_length

Z_95 = 1.959963984540054  # the normal distribution's 97.5% point: a two-sided 95% interval


@dataclass(frozen=True, slots=True)
class Scores:
    """What is known of a classifier after one pass over labelled texts."""

    accuracy: float  # share of texts, 0 to 1
    accuracy_ci: tuple[float, float]  # 95%, Wilson
    macro_f1: float
    log_loss: float  # nats a text
    calibration_error: float  # 0 to 1
    n: int  # texts
    confusion: list[list[int]]  # [true class][predicted class], counts


def score(truth: ArrayLike, probabilities: ArrayLike) -> Scores:
    """All figures at once; the predicted class is the most probable one, the first of equals.

    Raises: InputError as the single figures do.

    >>> score([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).confusion
    [[1, 0], [1, 1]]
    """
    ids, rows = distributions(truth, probabilities)
    predicted = rows.argmax(axis=1)
    right = int((ids == predicted).sum())
    return Scores(
        accuracy=right / len(ids),
        accuracy_ci=wilson_interval(right, len(ids)),
        macro_f1=macro_f1(ids, predicted),
        log_loss=log_loss(ids, rows),
        calibration_error=expected_calibration_error(ids, rows),
        n=len(ids),
        confusion=confusion_matrix(ids, predicted, rows.shape[1]).tolist(),
    )


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the texts whose class was predicted, 0 to 1."""
    ids, guesses = class_ids(truth, "truth"), class_ids(predicted, "predicted")
    same_length(ids, guesses)
    return float((ids == guesses).mean())


def wilson_interval(right: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a share of ``right`` among ``n``; it holds for small n and near 0 and 1 too.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    >>> [round(end, 3) for end in wilson_interval(45, 50)]
    [0.786, 0.957]
    """
    if not 0 <= right <= n or n < 1:
        raise InputError(f"{right} right of {n}: there must be 0 <= right <= n and n >= 1")
    share = right / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if right == 0 else (centre - reach) / scale
    high = 1.0 if right == n else (centre + reach) / scale
    return low, high


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> Ids:
    """Counts, ``(true class, predicted class)``."""
    ids, guesses = class_ids(truth, "truth"), class_ids(predicted, "predicted")
    same_length(ids, guesses)
    for name, values in (("truth", ids), ("predicted", guesses)):
        if values.max() >= classes:
            raise InputError(f"{name} holds class {values.max()}, but there are {classes} classes")
    counts = np.bincount(ids * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean over the classes of the harmonic mean of precision and recall, 0 to 1.

    A class that is neither in ``truth`` nor in ``predicted`` is left out; one that is never
    predicted rightly counts 0 (scikit-learn's ``f1_score(average="macro", zero_division=0)``).
    """
    ids, guesses = class_ids(truth, "truth"), class_ids(predicted, "predicted")
    counts = confusion_matrix(ids, guesses, int(max(ids.max(), guesses.max())) + 1)
    either = counts.sum(axis=0) + counts.sum(axis=1)  # (classes,): times true + times predicted
    present = either > 0
    return float((2 * counts.diagonal()[present] / either[present]).mean())


def log_loss(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log probability of the true class, in nats a text.

    A probability of 0 is taken as the smallest step of float64 (2.2e-16), as scikit-learn does,
    so that one wrong certainty does not make the figure infinite.
    """
    ids, rows = distributions(truth, probabilities)
    given = rows[np.arange(len(ids)), ids]
    return float(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)).mean())
