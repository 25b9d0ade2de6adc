"""The kinds of task, and what stands in their arrays.

| kind    | labels (texts, ...)           | model outputs | answer                      |
|---------|-------------------------------|---------------|-----------------------------|
| single  | int64: the class              | classes       | the most probable class     |
| multi   | bool (texts, classes)         | classes       | every class above its share |
| ordinal | int64: the rank, from 0       | classes - 1   | the median class            |
| real    | float64: the value            | 1             | the value                   |
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Kind = Literal["single", "multi", "ordinal", "real"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Labels = NDArray[Any]
"""as in the table above"""
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def outputs(kind: Kind, classes: int) -> int:
    """How many numbers a model of that kind gives for a text."""
    if kind == "real":
        return 1
    return classes - 1 if kind == "ordinal" else classes


def appearances(labels: Labels, kind: Kind, classes: int) -> Rows:
    """How many texts have each class: (classes,); nothing for real values."""
    if kind == "real":
        return np.zeros(0, np.int64)
    if kind == "multi":
        counts: Rows = labels.sum(0, dtype=np.int64)
        return counts
    return np.bincount(labels, minlength=classes).astype(np.int64)
