"""`sample_weight` and `class_weight` as scikit-learn writes them -> as the pipeline does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.estimator.classes import SHOWN, Classes

NamedWeights = Literal["balanced"] | dict[str, float] | None
"""of the classes, by the names that the pipeline calls them"""


def read_weights(weights: Any, texts: int) -> NDArray[np.float64]:
    """`sample_weight` as numbers: (texts,), none negative and not all zero.

    Raises:
        InputError: they are something else.
    """
    try:
        read = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise InputError("sample_weight: numbers are wanted") from None
    if read.shape != (texts,):
        raise InputError(f"sample_weight: shape {read.shape}, but there are {texts} texts")
    if not np.isfinite(read).all() or (read < 0).any():
        raise InputError("sample_weight: finite numbers from 0 up are wanted")
    if not read.any():
        raise InputError("sample_weight: every weight is zero; at least one text must count")
    return read


def named_weights(weights: Any, classes: Classes) -> NamedWeights:
    """`class_weight`, by the classes' names.

    Raises:
        InputError: it is neither None nor "balanced" nor a dict of classes, or a weight is none.
    """
    if weights is None:
        return None
    if isinstance(weights, str) and weights == "balanced":
        return "balanced"
    if not isinstance(weights, Mapping):
        raise InputError(
            "class_weight: None, 'balanced' or a dict (class: weight) is wanted, "
            f"not {weights!r:.60}"
        )
    values = classes.values.tolist()
    if unknown := [label for label in weights if label not in values]:
        known = ", ".join(map(repr, values[:SHOWN]))
        raise InputError(f"class_weight: {unknown[0]!r} is none of the classes: {known}")
    return {classes.names[values.index(k)]: _class_weight(k, w) for k, w in weights.items()}


def _class_weight(label: Any, weight: Any) -> float:
    try:
        read = float(weight)
    except (TypeError, ValueError, OverflowError):
        read = math.nan
    if not 0 < read < math.inf:
        raise InputError(f"class_weight: {label!r} has {weight!r:.60}; a number above 0 is needed")
    return read
