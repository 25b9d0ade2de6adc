"""Codes of units -> ids of tokens, by arrays that grow with the table of units."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.coding import UnitTable
from ulmfit.text.vocab import Vocab


class UnitIds:
    """The token ids of each unit of one table, laid end to end."""

    def __init__(self, table: UnitTable, vocab: Vocab) -> None:
        self.table = table
        self._vocab = vocab
        self._known = 0  # units laid down so far
        self._used = 0  # ids laid down so far
        self._first = np.zeros(1024, np.int64)  # (units,) where a unit's ids start
        self._length = np.zeros(1024, np.int64)  # (units,)
        self._ids = np.zeros(2048, np.int32)  # (ids of all units,)
        self._lock = threading.Lock()

    def ids(self, codes: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the ids of units, in order."""
        if self._known < len(self.table.units):
            with self._lock:
                self._lay_down()
        lengths = self._length[codes]
        ends = np.cumsum(lengths)
        shift = self._first[codes] - (ends - lengths)
        places = np.repeat(shift, lengths)
        places += np.arange(len(places))
        found: NDArray[np.int32] = self._ids[places]
        return found

    def _lay_down(self) -> None:
        new = self.table.units[self._known :]
        lengths = [len(unit.tokens) for unit in new]
        known, used = self._known + len(new), self._used + sum(lengths)
        self._first, self._length = _grown(self._first, known), _grown(self._length, known)
        self._ids = _grown(self._ids, used)
        ends = self._used + np.cumsum(lengths)
        self._first[self._known : known] = ends - lengths
        self._length[self._known : known] = lengths
        self._ids[self._used : used] = [self._vocab.id(t) for unit in new for t in unit.tokens]
        self._known, self._used = known, used


def _grown(values: NDArray[Any], size: int) -> NDArray[Any]:
    if size <= len(values):
        return values
    larger = np.zeros(max(size, 2 * len(values)), values.dtype)
    larger[: len(values)] = values
    return larger
