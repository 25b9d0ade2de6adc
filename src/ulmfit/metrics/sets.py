"""Any number of classes a text: how good the sets are that a classifier gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.errors import InputError
from ulmfit.metrics.calibration import sets_calibration_error
from ulmfit.metrics.checks import Ids, Sets, class_sets, same_shape
from ulmfit.metrics.classes import wilson_interval


@dataclass(frozen=True, slots=True)
class LabelScores:
    """One class among several."""

    precision: float  # of the texts given it, those that have it; 0 where none was given it
    recall: float  # of the texts that have it, those given it; 0 where none has it
    f1: float
    support: int  # texts that have it
    predicted: int  # texts given it


@dataclass(frozen=True, slots=True)
class SetScores:
    """What is known of a multi-label classifier after one pass over labelled texts."""

    subset_accuracy: float  # share of the texts whose whole set is right, 0 to 1
    subset_accuracy_ci: tuple[float, float]  # 95%, Wilson
    micro_f1: float  # over all pairs of a text and a class
    macro_f1: float  # mean over the classes
    log_loss: float  # nats a pair of a text and a class
    calibration_error: float  # of all pairs, 0 to 1
    n: int  # texts
    per_label: list[LabelScores]  # in the classes' order


def score_sets(truth: ArrayLike, predicted: ArrayLike, probabilities: ArrayLike) -> SetScores:
    """All figures at once.

    Args:
        truth: which classes each text has, (texts, classes) of 0 and 1.
        predicted: which it was given, the same shape.
        probabilities: of each class, the same shape; a row need not sum to 1.

    Raises:
        InputError: shapes differ, or something else stands in them.

    >>> scores = score_sets([[1, 0], [1, 1]], [[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.8]])
    >>> scores.subset_accuracy, round(scores.micro_f1, 2)
    (0.5, 0.8)
    """
    sets, answers = class_sets(truth, "truth"), class_sets(predicted, "predicted")
    same_shape(sets, answers, "predicted")
    error = sets_calibration_error(sets, probabilities)
    whole = int((sets == answers).all(axis=1).sum())
    labels = _per_label(sets, answers)
    return SetScores(
        subset_accuracy=whole / len(sets),
        subset_accuracy_ci=wilson_interval(whole, len(sets)),
        micro_f1=micro_f1(sets, answers),
        macro_f1=float(np.mean([label.f1 for label in labels])),
        log_loss=_log_loss(sets, probabilities),
        calibration_error=error,
        n=len(sets),
        per_label=labels,
    )


def micro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """F1 over all pairs of a text and a class; 0 where no text has any class or is given one."""
    sets, answers = class_sets(truth, "truth"), class_sets(predicted, "predicted")
    same_shape(sets, answers, "predicted")
    return float(_share(2 * (sets & answers).sum(), sets.sum() + answers.sum()))


def _per_label(sets: Sets, answers: Sets) -> list[LabelScores]:
    hits, support, given = (sets & answers).sum(0), sets.sum(0), answers.sum(0)
    return [
        LabelScores(
            _share(hit, told), _share(hit, true), _share(2 * hit, true + told), int(true), int(told)
        )
        for hit, true, told in zip(hits, support, given, strict=True)
    ]


def _share(part: np.int64 | Ids, whole: np.int64 | Ids) -> float:
    return float(part / whole) if whole else 0.0


def _log_loss(sets: Sets, probabilities: ArrayLike) -> float:
    rows = np.asarray(probabilities, np.float64)
    if not ((rows >= 0) & (rows <= 1)).all():
        raise InputError("probabilities must be from 0 to 1")
    given = np.where(sets, rows, 1 - rows)
    return float(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)).mean())
