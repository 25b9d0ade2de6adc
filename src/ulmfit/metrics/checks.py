"""What the figures are given, checked: class ids, sets of classes, distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ulmfit.errors import InputError

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Sets = NDArray[np.bool_]


def distributions(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Ids, Floats]:
    """Class ids (texts,) and probabilities (texts, classes) that sum to 1."""
    ids, rows = class_ids(truth, "truth"), np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2:
        raise InputError(f"probabilities have shape {rows.shape}; they must be (texts, classes)")
    same_length(ids, rows)
    if ids.max() >= rows.shape[1]:
        raise InputError(f"truth holds class {ids.max()}, probabilities end at {rows.shape[1] - 1}")
    wrong = np.flatnonzero(~np.isclose(rows.sum(axis=1), 1.0, atol=1e-3) | (rows < 0).any(axis=1))
    if wrong.size:
        raise InputError(
            f"probabilities of text {wrong[0]} are {rows[wrong[0]]}: not a distribution"
        )
    return ids, rows


def class_ids(values: ArrayLike, name: str) -> Ids:
    """Whole numbers from 0: (texts,)."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; it must be a list of at least one class")
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise InputError(f"{name} must hold class ids, whole numbers from 0")
    return array.astype(np.int64)


def class_sets(values: ArrayLike, name: str) -> Sets:
    """Which classes each text has: (texts, classes)."""
    array = np.asarray(values)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; it must be (texts, classes)")
    if array.dtype.kind not in "biu" or not np.isin(array, (0, 1)).all():
        raise InputError(f"{name} must hold 0 and 1, or false and true")
    return array.astype(np.bool_)


def numbers(values: ArrayLike, name: str) -> Floats:
    """Finite numbers: (texts,)."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; it must be a list of at least one value")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds {array[~np.isfinite(array)][0]}; values must be finite")
    return array


def same_length(left: NDArray[Any], right: NDArray[Any]) -> None:
    """Raise InputError unless there are as many predictions as true answers."""
    if len(left) != len(right):
        raise InputError(f"{len(left)} true classes, but predictions for {len(right)} texts")


def same_shape(left: NDArray[Any], right: NDArray[Any], name: str) -> None:
    """Raise InputError unless both have the same texts and classes."""
    same_length(left, right)
    if left.shape != right.shape:
        raise InputError(f"truth has shape {left.shape}, {name} {right.shape}; they must be alike")
