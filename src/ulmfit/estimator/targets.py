"""The y of `fit` -> the kind of task, its classes, and numbers for the stage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ulmfit.errors import InputError
from ulmfit.estimator.classes import TYPES, Classes, Form, indicator
from ulmfit.estimator.plain import listed
from ulmfit.targets.checks import FEWEST
from ulmfit.targets.encoding import by_number
from ulmfit.targets.kinds import Kind, Labels, Rows
from ulmfit.text.preparation import replace_surrogates

REAL: Kind = "real"
CLASSIFIED: tuple[Kind, ...] = ("single", "multi", "ordinal")


def read_classes(
    y: Any,
    texts: int,
    task: Kind | None = None,
    order: Any = None,
    kept: Rows | None = None,
) -> tuple[Classes, Labels]:
    """The classes of y, and y as the stage wants it.

    Args:
        y: one label a text; or, multi-label, a 0/1 matrix (texts, classes), whose columns a
            data frame names, or the labels of each text.
        texts: how many there are.
        task: None takes what the form of y shows, "single" or "multi".
        order: of an ordinal target, its labels from lowest to highest, in a list, a range, an
            array or a series; None takes that of pandas' ordered categories, and else sorts
            numbers, also those written as strings.
        kept: the rows that count, as if y had no others; None: all.

    Raises:
        InputError: y suits neither the task nor the texts, or a label is missing.
        ValueError: y is no classification target (scikit-learn's own words).
    """
    if y is None:
        raise InputError("a classifier requires y to be passed, but the target y is None")
    y = of_arrow(y)
    given, form = _formed(y, task)
    kind = _kind(form, task, order)
    if kind == "ordinal" and order is None:
        order = _own_order(y, given)
    if len(given) != texts:
        raise InputError(f"{texts} texts, but y has {len(given)} rows: each text needs one")
    if kept is not None:
        given = given[kept] if isinstance(given, np.ndarray) else [given[row] for row in kept]
    classes = Classes(_values(given, form, order, getattr(y, "columns", None)), kind, form)
    _check_values(classes)
    return classes, classes.numbers(given)


def _formed(y: Any, task: str | None) -> tuple[NDArray[Any] | list[Any], Form]:
    """y as an array (texts,), as a matrix, or as lists; and which of them it is."""
    if (lists := label_lists(y)) is not None:
        return (indicator(lists), "indicator") if _is_matrix(lists) else (lists, "lists")
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if len(shape) == 2 and (shape[1] > 1 or task == "multi"):
        return indicator(y), "indicator"
    return _one_label_a_text(y), "array"


def label_lists(y: Any) -> list[Any] | None:
    """The labels of each text, where there may be several; None where y has one label a text.

    Raises:
        InputError: some texts have a list and others have none.
    """
    if not isinstance(y, Iterable) or len(getattr(y, "shape", (0,))) != 1:
        return None
    listed = y.to_list() if hasattr(y, "to_list") else list(y)
    if not any(_is_collection(labels) for labels in listed):
        return None
    for row, labels in enumerate(listed):
        if not _is_collection(labels):
            raise InputError(f"y[{row}]: a list of labels is wanted, as in the others: {labels!r}")
    return listed


def _is_collection(labels: object) -> bool:
    return isinstance(labels, list | tuple | Set | np.ndarray)


def _is_matrix(lists: list[Collection[Any]]) -> bool:
    """Whether it is a 0/1 matrix, written as lists, rather than lists of labels."""
    widths = {len(row) for row in lists}
    return (
        len(widths) == 1
        and widths != {1}
        and all(not isinstance(row, Set) for row in lists)
        and all(not isinstance(label, str) and label in (0, 1) for row in lists for label in row)
    )


def read_values(y: Any, texts: int, kept: Rows | None = None) -> Labels:
    """y of a real-valued target: (texts,) finite numbers.

    Raises:
        InputError: there is none for each text.
        ValueError: it holds something else (scikit-learn's own words).
    """
    if y is None:
        raise InputError("a regressor requires y to be passed, but the target y is None")
    try:
        values: Labels = column_or_1d(of_arrow(y), warn=True).astype(np.float64)
    except TypeError as error:
        raise InputError(f"y: numbers are wanted ({error})") from None
    assert_all_finite(values, input_name="y")
    if len(values) != texts:
        raise InputError(f"{texts} texts, but y has {len(values)} rows: each text needs one")
    values = values if kept is None else values[kept]
    if (count := len(values)) < FEWEST:
        raise InputError(f"y has {count} sample{'s' * (count != 1)}; {FEWEST} at least are needed")
    return values


def _one_label_a_text(y: Any) -> NDArray[Any]:
    given = y.to_numpy() if hasattr(y, "to_numpy") else y  # pandas' own types keep theirs
    if isinstance(given, list | tuple):
        _check_labels(given)
    labels: NDArray[Any] = column_or_1d(given, warn=True)
    if labels.dtype.kind in "Of":
        _check_labels(labels)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def _check_labels(labels: Iterable[Any]) -> None:
    """Whether all are there, and all strings or none.

    An array of `["a", nan, 1]` would hold three strings, "nan" and "1" among them.
    """
    words = 0
    for row, label in enumerate(labels):
        if _is_missing(label):
            raise InputError(
                f"y[{row}]: no label ({label}); give texts without one as `unlabelled` instead"
            )
        if isinstance(label, int) and not -(2**63) <= label < 2**63:
            raise InputError(f"y[{row}]: {label} is beyond 64 bits; make the labels strings")
        if (words := words + isinstance(label, str)) not in (0, row + 1):
            raise InputError(
                f"y: the labels are of several types (y[{row}] is {label!r}); make them all strings"
            )


def _is_missing(label: object) -> bool:
    """Of None, NaN, NaT and pandas' NA."""
    try:
        return label is None or bool(label != label)
    except TypeError:  # NA is neither equal nor different
        return True


def _kind(form: Form, task: Kind | None, order: Any) -> Kind:
    if task is not None and task not in CLASSIFIED:
        raise InputError(f"task {task!r}: choose one of {', '.join(CLASSIFIED)}, or None")
    shown: Kind = "single" if form == "array" else "multi"
    if task is not None and (task == "multi") != (shown == "multi"):
        raise InputError(f"task {task!r}: but y has the form of a {shown}-label target")
    if order is not None and task != "ordinal":
        raise InputError("order: it belongs to task='ordinal'")
    return task or shown


def _values(y: Any, form: Form, order: Any, columns: Any) -> NDArray[Any]:
    if form == "array":
        return np.unique(y) if order is None else _ordered(order)
    if form == "indicator":
        return np.arange(y.shape[1]) if columns is None else np.array(list(columns))
    try:
        return np.array(sorted({label for labels in y for label in labels}))
    except TypeError as error:
        raise InputError(
            f"y: the labels are of several types, or of none that sorts ({error}); "
            "make them all strings"
        ) from None


def of_arrow(y: Any) -> Any:
    """Arrow's arrays as lists: they are no sequences that numpy takes whole."""
    return y.to_pylist() if hasattr(y, "to_pylist") else y


def _own_order(y: Any, given: Any) -> Any:
    """The order that an ordinal y has in itself; None: as its numbers are sorted.

    Raises:
        InputError: it has none.
    """
    if getattr(getattr(y, "dtype", None), "ordered", False):
        seen = set(given)
        return [label for label in y.dtype.categories if label in seen]
    if not all(isinstance(label, str) for label in given):
        return None
    try:
        return by_number(set(map(str, given)))
    except InputError as error:
        raise InputError(f"order: {error}") from None


def _ordered(order: Any) -> NDArray[Any]:
    labels = listed(order)
    if labels is None or any(_is_collection(label) for label in labels):
        raise InputError(
            "order: a list of the labels is wanted, from lowest to highest, "
            f"not {type(order).__name__} {order!r:.60}"
        )
    values = np.asarray(order)
    return np.array(labels) if values.dtype == object else values


def _check_values(classes: Classes) -> None:
    if strange := _strange(classes.values):
        raise InputError(f"y: labels of type {strange}; make them strings or whole numbers")
    names = classes.names
    if len(names) < (1 if classes.kind == "multi" else 2):
        held = f"1 class only ({names[0]!r})" if names else "no class"
        raise InputError(f"y holds {held}; a classifier needs two at least")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"y: label {twice!r} stands for two classes")
    for name in names:
        if replace_surrogates(name) != name:
            raise InputError(f"y: label {name!r} is no Unicode text (it holds half a character)")


def _strange(values: NDArray[Any]) -> str | None:
    """The type of labels that a saved model could not keep; None where it can."""
    if values.ndim != 1:
        return "tuple"
    if values.dtype == object:
        others = (value for value in values if not isinstance(value, str | bool | int | float))
        return next((type(value).__name__ for value in others), None)
    return None if values.dtype.kind == "U" or str(values.dtype) in TYPES else str(values.dtype)
