"""Parameters as scikit-learn's users write them -> values that JSON has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ulmfit.remote import is_remote


def plain(value: Any) -> Any:
    """numpy's numbers as Python's, a path as a string; a source of random numbers as None.

    Ranges, arrays, indices and series become lists; a tuple stays one. What is nothing of the
    kind stays as it is: whether JSON has it, `in_json` says.
    """
    if isinstance(value, np.random.RandomState) or value is np.random:
        return None
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if (parts := listed(value)) is not None:
        return [plain(part) for part in parts]
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return fspath(value) if isinstance(value, PathLike) else value


def listed(value: Any) -> list[Any] | None:
    """The values of a list, a tuple, a range, an array, an index or a series, in order.

    None where it is nothing of the kind: a string, a set, a number.
    """
    if isinstance(value, str | bytes | bytearray | np.generic):
        return None
    if isinstance(value, Sequence):
        return list(value)
    if not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    return array.tolist() if array.ndim else None


def in_json(value: Any) -> bool:
    """Whether a file of JSON in UTF-8 can hold it."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def lm_name(lm: str | PathLike[str]) -> str:
    """What a model tells of its language model: its name, not where it lies on this machine."""
    return fspath(lm) if is_remote(fspath(lm)) else Path(lm).absolute().name
