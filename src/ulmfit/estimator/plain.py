"""Parameters as scikit-learn's users write them -> values that JSON has."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """numpy's numbers and arrays as Python's, a path as a string; a `RandomState` as None."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, np.random.RandomState):
        return None
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return fspath(value) if isinstance(value, PathLike) else value
