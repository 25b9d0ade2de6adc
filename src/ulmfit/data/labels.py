"""What the columns of a row say of its label and its weight, and how to read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.errors import InputError

Fields = dict[str, object]
Label = str | tuple[str, ...]
"""one label; or, where a text may have several, those that it has"""
YES, NO = ("1", "true"), ("0", "false")


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts, labels and weights stand in their columns."""

    separator: str | None = None
    """between the labels of one text; None: a string is one label"""
    weight: str | None = None
    """the column with the row's weight"""
    blank_texts: bool = False
    """a row without a text has an empty one, instead of being a bad row"""


def label_of(
    fields: Fields, name: str | tuple[str, ...] | None, separator: str | None
) -> Label | None:
    """The label or labels; None where the row has none.

    A list, a string with separators and columns of 0 and 1 give a tuple, which is empty where a
    row says that no label applies.

    Raises:
        InputError: the column holds something else.
    """
    if isinstance(name, tuple):
        return _marked(fields, name)
    value = fields.get(name) if name is not None else None
    if isinstance(value, list | tuple):
        return _distinct([_in_list(item, name) for item in value])
    one = _one(value, name)
    if one is None or not separator:
        return one
    return _distinct(one.split(separator))


def weight_of(fields: Fields, name: str) -> float:
    """The row's weight.

    Raises:
        InputError: it is no number, or below 0.
    """
    value = fields.get(name)
    try:
        weight = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        weight = math.nan
    if not 0 <= weight < math.inf or isinstance(value, bool):
        raise InputError(f"column {name!r} holds {value!r}; a weight is a number, 0 or more")
    return weight


def kind_of(value: object) -> str:
    """What a value is, for a person."""
    names = {dict: "an object", list: "a list", bytes: "bytes", bool: "true or false"}
    return names.get(type(value), f"a value of type {type(value).__name__}")


def _one(value: object, name: str | None) -> str | None:
    """The label as a string, the same one whichever format it came from (1, 1.0 and "1")."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple | dict | bytes):
        raise InputError(f"column {name!r} holds {kind_of(value)}, not a label")
    return _whole(str(value).strip(), name) or None


def _whole(label: str, name: str | None) -> str:
    """The label; half a character (a lone surrogate) could not be written into a model."""
    try:
        label.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"column {name!r} holds {label!r}, no Unicode text (half a character is in it)"
        ) from None
    return label


def _in_list(item: object, name: str | None) -> str:
    label = _one(item, name) if not isinstance(item, list | tuple) else None
    if label is None:
        raise InputError(f"column {name!r} holds a list with {item!r} in it, which is no label")
    return label


def _distinct(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))


def _marked(fields: Fields, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The columns that say 1; None where all are empty."""
    told = {name: _one(fields.get(name), name) for name in names}
    if all(value is None for value in told.values()):
        return None
    for name, value in told.items():
        if value is None or value.casefold() not in YES + NO:
            held = "nothing" if value is None else repr(value)
            raise InputError(
                f"column {name!r} holds {held}; of several label columns each says 0 or 1"
            )
    return tuple(name for name, value in told.items() if value and value.casefold() in YES)
