"""How honest a classifier's probabilities are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.errors import InputError
from ulmfit.metrics.checks import (
    Floats,
    class_ids,
    class_sets,
    distributions,
    same_length,
    same_shape,
)

BINS = 15  # Guo et al. 2017, sec. 5


def expected_calibration_error(
    truth: ArrayLike,
    probabilities: ArrayLike,
    bins: int = BINS,
    predicted: ArrayLike | None = None,
) -> float:
    """Mean distance between how sure a classifier is and how often it is right, 0 to 1.

    Texts are sorted by the probability of the predicted class into ``bins`` of equal width; each
    counts by its number of texts. Source: Guo et al. 2017, sec. 2 (15 bins: their sec. 5).

    Args:
        truth: class ids, (texts,).
        probabilities: (texts, classes), each row summing to 1.
        bins: at least one.
        predicted: class ids, (texts,); None takes the most probable class.
    """
    ids, rows = distributions(truth, probabilities)
    answers = rows.argmax(axis=1) if predicted is None else class_ids(predicted, "predicted")
    same_length(ids, answers)
    return _gap(rows[np.arange(len(ids)), answers], (answers == ids).astype(np.float64), bins)


def sets_calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> float:
    """The same of sets of classes: how probable each class was called, and how often it is there.

    Every pair of a text and a class counts once. Both are (texts, classes).
    """
    sets, rows = class_sets(truth, "truth"), np.asarray(probabilities, np.float64)
    same_shape(sets, rows, "probabilities")
    if not ((rows >= 0) & (rows <= 1)).all():
        raise InputError("probabilities must be from 0 to 1")
    return _gap(rows.ravel(), sets.ravel().astype(np.float64), bins)


def _gap(sure: Floats, happened: Floats, bins: int) -> float:
    if bins < 1:
        raise InputError(f"{bins} bins: at least one is needed")
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)  # (low, high]
    gaps = np.bincount(place, weights=happened - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))
