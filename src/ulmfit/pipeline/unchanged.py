"""Texts that are read again are those that were read first: each leaves a mark to know it by."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError

Marks = NDArray[np.uint64]
"""(texts,) one for each"""


def mark(text: str) -> int:
    """64 bits of a text's hash."""
    digest = hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def marks_of(texts: Iterable[str]) -> Marks:
    """The marks of texts that are not kept."""
    return np.array(array("Q", map(mark, texts)), np.uint64)


def changed(where: str, how: str) -> InputError:
    """What to say of a file that has other texts than those that were read first."""
    return InputError(
        f"{where}: changed while it was being learned from ({how}); put it back as it was, or "
        "begin anew"
    )
