"""Texts that are read again are those that were read first: each leaves a mark to know it by."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.targets.kinds import Rows

Item = TypeVar("Item")

Marks = NDArray[np.uint64]
"""(texts,) one for each"""


def mark(text: str) -> int:
    """64 bits of a text's hash."""
    digest = hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def marks_of(texts: Iterable[str]) -> Marks:
    """The marks of texts that are not kept."""
    return np.array(array("Q", map(mark, texts)), np.uint64)


def picked(
    items: Iterable[Item],
    places: Rows,
    marks: Marks,
    text: Callable[[Item], str],
    where: Callable[[Item | None], str],
) -> Iterator[Item]:
    """The items at some places, up to the last of them.

    Args:
        items: what is read again.
        places: (texts,) of those that are wanted.
        marks: (texts,) of these, as they were read first.
        text: an item's.
        where: tells a person where an item stands, or where all of them do (None).

    Raises:
        InputError: while iterating, an item has another text than it had, or is gone.
    """
    left = dict(zip(places.tolist(), marks.tolist(), strict=True))
    for place, item in enumerate(items):
        if place not in left:
            continue
        if mark(text(item)) != left.pop(place):
            raise _changed(where(item), "another text stands there")
        yield item
        if not left:
            return
    if left:
        raise _changed(where(None), f"{len(left):,} of its texts are gone")


def _changed(where: str, how: str) -> InputError:
    return InputError(
        f"{where}: changed while it was being learned from ({how}); put it back as it was, or "
        "begin anew"
    )
