"""Labels of any type -> numbers for the stage, and back to the type that the caller gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.estimator.keeping import told_classes
from ulmfit.targets.kinds import Kind, Labels

Form = Literal["array", "indicator", "lists"]
"""of y: one label a text; a 0/1 matrix, a column a class; or the labels of each text"""
FORMS: tuple[Form, ...] = ("array", "indicator", "lists")
SHOWN = 20  # classes that a message lists
WHOLE = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
TYPES = ("str", "object", "bool", "float32", "float64", *WHOLE)
"""of labels; all that JSON keeps exactly"""


@dataclass(frozen=True)
class Classes:
    """What the numbers of the classes stand for."""

    values: NDArray[Any]
    """(classes,) as the caller wrote them; sorted, or in an ordinal target's order"""
    kind: Kind
    form: Form

    @property
    def names(self) -> list[str]:
        """For the bundle, as the reader of files would call them: 1, 1.0 and "1" are "1"."""
        return [_name(value) for value in self.values.tolist()]

    def numbers(self, y: Any) -> Labels:
        """y as the stage wants it (`ulmfit.targets.kinds`).

        Raises:
            InputError: a label is none of the classes.
        """
        if self.form == "indicator":
            return indicator(y)
        place = {value: number for number, value in enumerate(self.values.tolist())}
        if self.form == "array":
            return np.array([_known(label, place) for label in y.tolist()], np.int64)
        matrix = np.zeros((len(y), len(place)), np.bool_)
        for row, labels in enumerate(y):
            matrix[row, [_known(label, place) for label in labels]] = True
        return matrix

    def answers(self, numbers: Labels) -> Any:
        """What `numbers` were, in the caller's form: (texts,), (texts, classes) or lists."""
        if self.form == "indicator":
            return numbers.astype(np.int64)
        if self.form == "lists":
            return [self.values[row].tolist() for row in numbers]
        return self.values[numbers]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a bundle's provenance."""
        kind = self.values.dtype.kind
        return {
            "dtype": "str" if kind == "U" else str(self.values.dtype),
            "values": self.values.tolist(),
            "form": self.form,
        }

    @classmethod
    def of(cls, bundle: Bundle) -> Classes:
        """Those of a classifier: strings, unless an estimator made it and kept their type.

        Raises:
            InputError: what was kept does not fit the bundle's labels.
        """
        kind = bundle.target.kind
        told = told_classes(bundle)
        if told is None:
            return cls(np.array(bundle.labels), kind, "lists" if kind == "multi" else "array")
        try:
            if told["form"] not in FORMS or told["dtype"] not in TYPES:
                raise ValueError(f"form {told['form']!r}, dtype {told['dtype']!r}")
            if (told["form"] == "array") == (kind == "multi"):
                raise ValueError(f"form {told['form']!r} of a {kind}-label target")
            classes = cls(np.array(told["values"], told["dtype"]), kind, told["form"])
            if classes.values.ndim != 1 or classes.names != bundle.labels:
                raise ValueError("they are not its labels")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"the bundle's provenance.estimator.classes: {error}") from None
        return classes


def _known(label: Any, place: dict[Any, int]) -> int:
    if label not in place:
        known = ", ".join(map(repr, list(place)[:SHOWN]))
        raise InputError(f"y: label {label!r} is none of the classes: {known}")
    return place[label]


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def indicator(y: Any) -> Labels:
    """A 0/1 matrix, dense or sparse, of any type -> bool (texts, classes).

    Raises:
        InputError: it is no matrix, or holds something else.
    """
    matrix = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    if matrix.ndim != 2:
        raise InputError(f"y: a matrix (texts, classes) is wanted, not an array {matrix.shape}")
    if not np.isin(matrix, (0, 1)).all():
        raise InputError("y: a matrix of a multi-label target holds 0 and 1 only")
    return matrix.astype(np.bool_)
