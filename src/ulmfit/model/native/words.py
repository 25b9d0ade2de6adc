"""The first layer's input product, once a word instead of once a position."""

from __future__ import annotations

import ctypes
import threading

import numpy as np
from numpy.typing import NDArray

from ulmfit.model.native.layers import FloatMatrix, Floats, Pointers

TABLE_BYTES = 128_000_000  # of products kept: 12,500 words of a 640-unit model, 97% of English


class Words:
    """Word ids -> the input's part of the first layer's pre-activations, in fp32.

    Ids are numbered by falling frequency, so a table of the first few thousand serves most
    positions. It is made when as many words have been read as it holds, so a single text does not
    wait for it. The same numbers come out with and without it, to the last bit.

    Args:
        code: the compiled code.
        embedding: (vocabulary, features).
        w_ih: (4 hidden, features) of the first layer.
    """

    def __init__(self, code: ctypes.CDLL, embedding: Floats, w_ih: Floats) -> None:
        self._embedding = embedding
        self._matrix = FloatMatrix(code, w_ih, w_ih.shape[1])
        self._places = min(len(embedding), TABLE_BYTES // (4 * self._matrix.width))
        self._table: Floats | None = None
        self._read = 0
        self._lock = threading.Lock()

    def expect(self, positions: int) -> None:
        """So many are about to be read."""
        with self._lock:
            self._read += positions
            if self._table is None and self._read > self._places:
                table = np.empty((self._places, self._matrix.width), np.float32)
                self._matrix.multiply(self._embedding[: self._places], table)
                self._table = table

    def project(self, ids: NDArray[np.int64], z: Floats) -> Pointers:
        """(positions,) -> where each one's 4 units stand: in the table, or in `z` (flat)."""
        table = self._table
        if table is None:
            self._matrix.multiply(self._embedding[ids], z)
            return self._rows(z, np.arange(len(ids)))
        known = ids < len(table)
        pointers = self._rows(table, ids)
        if not known.all():
            rare = self._embedding[ids[~known]]
            self._matrix.multiply(rare, z)
            pointers[~known] = self._rows(z, np.arange(len(rare)))
        return pointers

    def _rows(self, array: Floats, rows: NDArray[np.int64]) -> Pointers:
        return (array.ctypes.data + rows * (4 * self._matrix.width)).astype(np.uintp)
