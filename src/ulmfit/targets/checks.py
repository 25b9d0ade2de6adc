"""What no classifier can learn from, told before any work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.errors import InputError
from ulmfit.targets.encoding import number
from ulmfit.targets.kinds import Kind, Labels, appearances

FEWEST = 4  # texts: two to learn from (batch norm needs them), the others to check on


def check_labels(labels: Labels, names: Sequence[str], kind: Kind = "single") -> None:
    """Refuse what no classifier can learn from.

    Raises:
        InputError: fewer than two labels, a label with fewer than two rows, or one written in
            two ways (1 and 1.0); of a multi-label target, no label at all, or one that all rows
            have; of real values, all the same.
    """
    if kind == "real":
        _check_values(labels)
    elif kind == "multi":
        _check_sets(labels, names)
    elif len(names) < 2:
        only = names[0] if names else "none"
        raise InputError(f"the labelled rows have one label only ({only}); two at least are needed")
    _check_spellings(names)
    for name, count in zip(names, appearances(labels, kind, len(names)), strict=True):
        if count < 2:
            rows = "row" if count == 1 else "rows"
            raise InputError(
                f"label {name!r} has {count} {rows}; each needs two at least "
                "(one to learn from, one to check on): add rows, or merge or drop the label"
                + _hint(names, kind)
            )


def _check_spellings(names: Sequence[str]) -> None:
    for name in names:
        whole, _, fraction = name.partition(".")
        if fraction and not fraction.strip("0") and whole in names:
            raise InputError(
                f"{whole!r} and {name!r} are both labels, and one number: write it one way "
                "(pandas adds the .0 where a cell of the column is empty)"
            )


def _hint(names: Sequence[str], kind: Kind) -> str:
    """Labels that are numbers with a fraction were hardly meant as classes."""
    try:
        whole = all(number(name).is_integer() for name in names)
    except InputError:
        return ""
    if kind != "single" or whole:
        return ""
    return "; the labels are numbers: a value or a rank is learned with --task real or ordinal"


def _check_values(values: Labels) -> None:
    _check_count(values)
    with np.errstate(over="ignore"):
        spread = values.std()
    if not np.isfinite(spread):
        raise InputError(
            f"the values reach {values[np.abs(values).argmax()]:g}: too large to be squared; "
            "divide them all by one number, or learn their logarithms"
        )
    if np.all(values == values[0]):
        raise InputError(f"all {len(values)} rows have the value {values[0]:g}; nothing to learn")


def _check_sets(labels: Labels, names: Sequence[str]) -> None:
    _check_count(labels)
    if not names:
        raise InputError("no row has any label; one label at least is needed")
    if len(names) == 1 and labels.all():
        raise InputError(
            f"all rows have the only label, {names[0]!r}; rows without it are needed too"
        )


def _check_count(labels: Labels) -> None:
    if len(labels) < FEWEST:
        raise InputError(f"{len(labels)} labelled rows; {FEWEST} at least are needed")
