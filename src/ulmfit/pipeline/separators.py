"""Several labels in one column of text: what stands between them."""

from __future__ import annotations

from collections.abc import Sequence

from ulmfit.data.labels import Label
from ulmfit.errors import InputError

SEPARATORS = ("|", ";", ",")
"""looked for in this order; the first that no label holds is written"""


def separated(labels: Sequence[Label]) -> tuple[str, list[Label]]:
    """The one separator that the strings hold, and the strings cut at it.

    Where they hold none, each is a label alone.

    Raises:
        InputError: they hold several, so that it must be named.
    """
    found = [mark for mark in SEPARATORS if any(mark in label for label in labels)]
    if len(found) > 1:
        held = " and ".join(map(repr, found))
        raise InputError(
            f"the labels hold {held}; say which one stands between labels: --separator '{found[0]}'"
        )
    if not found:
        return "", [(label,) for label in labels if isinstance(label, str)]
    cut = [label.split(found[0]) for label in labels if isinstance(label, str)]
    return found[0], [tuple(dict.fromkeys(p.strip() for p in c if p.strip())) for c in cut]


def free_separator(labels: Sequence[Label]) -> str:
    """The first separator that no label holds; "" if each holds one."""
    names = {name for label in labels for name in ([label] if isinstance(label, str) else label)}
    free = (mark for mark in SEPARATORS if not any(mark in name for name in names))
    return next(free, "")
