"""The first layer's input product, once a word instead of once a position."""

from __future__ import annotations

import ctypes
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ulmfit.model.native.layers import Floats, Matrix, Pointers, aligned

TABLE_BYTES = 128_000_000  # of products kept: 12,500 words of a 640-unit model, 97% of English


class Words:
    """Word ids -> the input's part of the first layer's pre-activations, in fp32.

    Each word's product is computed when the word is first met, and kept while there is room; the
    rest, rare words of a large vocabulary, are computed where they stand. The numbers are the same
    either way, to the last bit.

    Args:
        code: the compiled code.
        embedding: (vocabulary, features).
        w_ih: (4 hidden, features) of the first layer.
    """

    def __init__(self, code: ctypes.CDLL, embedding: Floats, w_ih: Floats) -> None:
        self._embedding = embedding
        self._matrix = Matrix(code, w_ih, w_ih.shape[1], "fp32")
        places = min(len(embedding), TABLE_BYTES // (4 * self._matrix.width))
        self._table: Floats = aligned((places, self._matrix.width), np.float32)
        self._used = 0
        self._place = np.full(len(embedding), -1, np.int64)
        self._lock = threading.Lock()

    def meet(self, ids: NDArray[np.int64], threads: int) -> None:
        """Make room for the words of a text that is about to be read, the commonest first."""
        with self._lock:
            unknown = np.zeros(len(self._place), np.bool_)
            unknown[ids] = True
            unknown &= self._place < 0
            new = np.flatnonzero(unknown)[: len(self._table) - self._used]  # ids fall in frequency
            places = np.arange(self._used, self._used + len(new))
            parts = np.array_split(new, threads), np.array_split(places, threads)
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(self._compute, *parts))
            self._place[new] = places
            self._used += len(new)

    def _compute(self, words: NDArray[np.int64], places: NDArray[np.int64]) -> None:
        if len(words):
            self._matrix.multiply([self._embedding[words]], self._table[places[0] : places[-1] + 1])

    def project(self, ids: NDArray[np.int64], z: Floats) -> Pointers:
        """(positions,) -> where each one's 4 units stand: in the table, or in `z` (flat)."""
        places = self._place[ids]
        pointers = self._rows(self._table, places)
        rare = np.flatnonzero(places < 0)
        if len(rare):
            self._matrix.multiply([self._embedding[ids[rare]]], z)
            pointers[rare] = self._rows(z, np.arange(len(rare)))
        return pointers

    def _rows(self, array: Floats, rows: NDArray[np.int64]) -> Pointers:
        return (array.ctypes.data + rows * (4 * self._matrix.width)).astype(np.uintp)
