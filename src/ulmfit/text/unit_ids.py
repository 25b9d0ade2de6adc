"""Codes of units -> ids of tokens, by arrays that grow with the table of units."""

import threading
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.ragged import Ragged
from ulmfit.text.unit_table import UnitTable
from ulmfit.text.vocab import Vocab


class UnitIds:
    """The token ids of each unit of one table."""

    def __init__(self, table: UnitTable, vocab: Vocab) -> None:
        self.table = table
        self._vocab = vocab
        self._ids = Ragged()
        self._lock = threading.Lock()

    def ids(self, codes: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the ids of units, in order."""
        if len(self._ids) < len(self.table.units):
            with self._lock:
                new = [unit.tokens for unit in self.table.units[len(self._ids) :]]
                lengths = np.fromiter(map(len, new), np.int64, len(new))
                ids = self._vocab.ids(chain.from_iterable(new))
                self._ids.append(lengths, np.array(ids, np.int32))
        return self._ids.take(codes)
