"""Whatever a caller holds texts in -> a list of strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from ulmfit.errors import InputError


def text_list(texts: Any, what: str = "texts") -> list[str]:
    """The strings of a list, an array, or a pandas, polars or Arrow series, in order.

    Args:
        texts: one dimension; an empty string is a text.
        what: the argument's name, for a person.

    Raises:
        InputError: no such thing, or an element that is no string; it says which.
    """
    if isinstance(texts, str | bytes | Mapping | Set) or not isinstance(texts, Iterable):
        raise InputError(
            f"{what}: a list, an array or a series of strings is wanted, not {_kind(texts)}"
        )
    shape = getattr(texts, "shape", (0,))
    if len(shape) != 1:
        raise InputError(f"{what}: one column of strings is wanted, not a table of shape {shape}")
    values = texts.to_pylist() if hasattr(texts, "to_pylist") else texts  # Arrow's own scalars
    return [_string(value, f"{what}[{row}]") for row, value in enumerate(values)]


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: a string is wanted, not {_kind(value)} ({value!r:.60})")
    return str(value)


def _kind(value: object) -> str:
    return "one string" if isinstance(value, str) else type(value).__name__
