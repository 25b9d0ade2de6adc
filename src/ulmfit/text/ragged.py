"""Sequences of whole numbers, numbered and laid end to end, so that many are taken at once."""

import ctypes
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.native_code import code


class Ragged:
    """Sequences that only grow in number; one thread may add while others take."""

    def __init__(self) -> None:
        self._count = 0
        self._used = 0
        self._first = np.zeros(1024, np.int64)  # (sequences,) where each starts
        self._length = np.zeros(1024, np.int64)  # (sequences,)
        self._values = np.zeros(2048, np.int32)  # (values of all sequences,)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return self._count

    def extend(self, sequences: Sequence[Sequence[int]]) -> None:
        """Number further sequences, from `len` on."""
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        flat = chain.from_iterable(sequences)
        self.append(lengths, np.fromiter(flat, np.int32, int(lengths.sum())))

    def append(self, lengths: NDArray[np.int64], values: NDArray[np.int32]) -> None:
        """As `extend`: sequences of these lengths, end to end."""
        count, used = self._count + len(lengths), self._used + len(values)
        self._first, self._length = grown(self._first, count), grown(self._length, count)
        self._values = grown(self._values, used)
        self._first[self._count : count] = self._used + np.cumsum(lengths) - lengths
        self._length[self._count : count] = lengths
        self._values[self._used : used] = values
        self._count, self._used = count, used

    def lengths(self, which: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the lengths of the sequences of these numbers."""
        found: NDArray[np.int64] = self._length[which]
        return found

    def take(self, which: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the sequences of these numbers, one after the other; all must be there."""
        found = code()
        return self._by_arrays(which) if found is None else self._by_code(found, which)

    def _by_arrays(self, which: NDArray[np.int32]) -> NDArray[np.int32]:
        """The reference of `forms.c`'s."""
        lengths = self._length[which]
        ends = np.cumsum(lengths)
        places = np.repeat(self._first[which] - (ends - lengths), lengths)
        places += np.arange(len(places))
        taken: NDArray[np.int32] = self._values[places]
        return taken

    def _by_code(self, code: ctypes.CDLL, which: NDArray[np.int32]) -> NDArray[np.int32]:
        held = self._first, self._length, self._values  # `append` may put others in their place
        first, length, values = (array.ctypes.data for array in held)
        which = np.ascontiguousarray(which, np.int32)
        asked = which.ctypes.data, len(which)
        taken = np.empty(code.ragged_size(length, *asked), np.int32)
        code.ragged_take(first, length, values, *asked, taken.ctypes.data)
        return taken


def grown(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return an array of at least `size` that begins with these values."""
    if size <= len(values):
        return values
    larger = np.zeros(max(size, 2 * len(values)), values.dtype)
    larger[: len(values)] = values
    return larger
