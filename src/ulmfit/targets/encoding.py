"""Labels as a user gives them -> arrays of numbers, and the classes' names."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ulmfit.errors import InputError
from ulmfit.targets.kinds import Kind, Labels

Value = str | float | Collection[str]
"""one label, a number, or (multi) the labels of one text"""
Target = int | float | tuple[int, ...]
"""one text's: the number of its class, its value, or (multi) the numbers of its classes"""
SHOWN = 20  # names that a message lists


@dataclass(frozen=True)
class Coding:
    """Which number stands for which class."""

    kind: Kind
    names: Sequence[str]
    """number -> name; empty for real values"""

    def of(self, value: Value) -> Target:
        """The number (or numbers) of a label.

        Raises:
            InputError: it is none of the classes, not one label, or no number.
        """
        if self.kind == "real":
            return number(value)
        if self.kind == "multi":
            return tuple(sorted({self._class(name) for name in several(value)}))
        return self._class(one(value))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def _class(self, name: str) -> int:
        if name not in self._numbers:
            raise InputError(f"label {name!r} is none of the model's: {listed(self.names)}")
        return self._numbers[name]

    def array(self, targets: Sequence[Target]) -> Labels:
        """What `of` gave for each text, as this kind's array (`targets.kinds`)."""
        if self.kind == "real":
            return np.array(targets, np.float64)
        if self.kind != "multi":
            return np.array(targets, np.int64)
        labels = np.zeros((len(targets), len(self.names)), np.bool_)
        for row, numbers in enumerate(targets):
            assert isinstance(numbers, tuple)
            labels[row, list(numbers)] = True
        return labels


@dataclass(frozen=True)
class Encoded:
    """Labels as an array, and what their numbers mean."""

    labels: Labels
    names: list[str]
    kind: Kind


def encode(
    values: Sequence[Value],
    kind: Kind | None = None,
    order: Sequence[str] = (),
    named: Sequence[str] = (),
) -> Encoded:
    """Number the labels of all texts.

    Args:
        values: one a text.
        kind: None takes "multi" where any value is a collection of labels, and else "single".
        order: of an ordinal target, the labels from lowest to highest; needed unless every
            label is a number.
        named: of a multi-label target, labels that there are, whether or not a text has them.

    Raises:
        InputError: a value does not suit the kind, or the order is not known.

    >>> encode([["a", "b"], []]).labels.tolist()
    [[True, True], [False, False]]
    """
    chosen = kind or guess(values)
    if order and chosen != "ordinal":
        raise InputError(f"an order of labels belongs to an ordinal target, not to a {chosen} one")
    names = _names(values, chosen, order, named)
    coding = Coding(chosen, names)
    return Encoded(coding.array([coding.of(value) for value in values]), names, chosen)


def guess(values: Iterable[Value]) -> Kind:
    """The kind that the values' own form shows: lists are multi-label, all else is single."""
    return "single" if all(isinstance(v, str | float | int) for v in values) else "multi"


def _names(
    values: Sequence[Value], kind: Kind, order: Sequence[str], named: Sequence[str]
) -> list[str]:
    if kind == "real":
        return []
    if kind == "multi":
        return sorted({*named, *(name for value in values for name in several(value))})
    seen = {one(value) for value in values}
    return _ordered(seen, order) if kind == "ordinal" else sorted(seen)


def _ordered(seen: set[str], order: Sequence[str]) -> list[str]:
    if order:
        if unknown := sorted(seen - set(order)):
            raise InputError(f"label {unknown[0]!r} is not in the order {', '.join(order)}")
        if len(set(order)) != len(order):
            raise InputError(f"the order {', '.join(order)} names a label twice")
        return list(order)
    try:
        return by_number(seen)
    except InputError as error:
        raise InputError(f"{error} (--order low --order middle --order high)") from None


def by_number(names: Iterable[str]) -> list[str]:
    """Labels of an ordinal target that are numbers, in their order.

    Raises:
        InputError: they are not all numbers.
    """
    labels = sorted(names)
    try:
        return sorted(labels, key=number)
    except InputError:
        raise InputError(
            f"the labels of an ordinal target have an order, and {listed(labels)} are not all "
            "numbers: say it from lowest to highest"
        ) from None


def one(value: Value) -> str:
    """A label that stands alone.

    Raises:
        InputError: it is a collection of labels.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float | int):
        return str(int(value)) if float(value).is_integer() else str(value)
    raise InputError(
        f"a list of labels ({listed(list(value))}) where one label belongs; "
        "a text may have several where the task is multi"
    )


def listed(names: Sequence[str]) -> str:
    """The first names for a person."""
    return ", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")


def several(value: Value) -> tuple[str, ...]:
    """The labels of one text; a single one counts as a list of one."""
    return (one(value),) if isinstance(value, str | float | int) else tuple(map(one, value))


def number(value: Value) -> float:
    """A real value.

    Raises:
        InputError: it is no finite number.
    """
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{value!r} is not a finite number")
    return found
