"""Documents -> pooled vectors: every row of a window always has a document to work on.

Why it is fast: a row whose document ends takes the next one, so nothing is computed on padding
and products keep their full height to the end; what a layer hands on fits the cache.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Sequence
from ctypes import c_long
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulmfit.model.native.layers import ROWS, Floats, Kind, Layer, State, address, aligned
from ulmfit.model.native.words import Words

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """The weights of an encoder, packed; shared by all readers."""

    code: ctypes.CDLL
    words: Words
    layers: Sequence[Layer]
    features: int
    """of the last layer, without padding"""
    kind: Kind

    @classmethod
    def of(
        cls,
        code: ctypes.CDLL,
        embedding: Floats,
        layers: Sequence[tuple[Floats, Floats, Floats]],
        kind: Kind,
    ) -> Network:
        """Pack an embedding and layers of (w_ih, w_hh, bias), lowest first."""
        packed = [
            Layer(code, w_ih if i else None, w_hh, bias, kind)
            for i, (w_ih, w_hh, bias) in enumerate(layers)
        ]
        words = Words(code, embedding, layers[0][0])
        return cls(code, words, packed, layers[-1][1].shape[1], kind)


@dataclass(frozen=True)
class Texts:
    """Documents end to end; document i is ids[starts[i]:ends[i]], pooled from firsts[i] on."""

    ids: Ids
    starts: Ids
    ends: Ids
    firsts: Ids

    @classmethod
    def of(cls, documents: Sequence[Ids], pooled_tokens: int) -> Texts:
        """Documents of at least one id each, of which the last `pooled_tokens` are pooled."""
        lengths = np.array([len(d) for d in documents], np.int64)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        return cls(
            np.concatenate(documents), starts, ends, np.maximum(starts, ends - pooled_tokens)
        )


class Reader:
    """One thread's rows: begins with documents of its own, then takes from a shared queue.

    Args:
        network: the weights.
        texts: all documents.
        vectors: (documents, 3 features): last, maximum and mean are written here.
    """

    def __init__(self, network: Network, texts: Texts, vectors: Floats) -> None:
        self._network = network
        self._texts = texts
        self._vectors = vectors
        self._states = [State(layer.units, network.kind) for layer in network.layers]
        units = [layer.units for layer in network.layers]
        self._z: Floats = aligned((ROWS * 4 * max(units),), np.float32)
        self._tile: Floats = aligned((ROWS * 4 * network.code.lanes(),), np.float32)
        self._maximum: Floats = aligned((ROWS, units[-1]), np.float32)
        self._sum: Floats = aligned((ROWS, units[-1]), np.float32)
        self._document = np.zeros(ROWS, np.int64)
        self._position = np.zeros(ROWS, np.int64)
        self._end = np.zeros(ROWS, np.int64)
        self._rows = 0

    def read(self, own: Sequence[int], queue: deque[int]) -> None:
        """Read `own`, at most `ROWS` documents, and as rows get free all that is in the queue."""
        for document in own:
            self._begin(document)
        while self._rows:
            self._window()
            while self._rows < ROWS and queue:
                try:
                    self._begin(queue.popleft())
                except IndexError:  # another thread was faster
                    break

    def _begin(self, document: int) -> None:
        """Give a document the first free row."""
        row = self._rows
        self._rows += 1
        self._document[row] = document
        self._position[row] = self._texts.starts[document]
        self._end[row] = self._texts.ends[document]
        self._maximum[row], self._sum[row] = -np.inf, 0
        for state in self._states:
            state.clear(row)

    def _window(self) -> None:
        """Read on in every row, many steps where rows are few; documents that end leave."""
        rows = self._rows
        position, end = self._position[:rows], self._end[:rows]
        left = end - position
        steps = min(ROWS // rows, int(left.max()))
        places = position + np.arange(steps)[:, None]
        self._compute(self._texts.ids[np.minimum(places, end - 1)], steps, rows)
        self._pool(steps, rows)
        done = np.flatnonzero(left <= steps)
        for row in done.tolist():
            self._write(row, int(left[row]))
        for state in self._states:
            state.carry(steps, rows)
        position += steps
        for row in done[::-1].tolist():  # from behind: what fills a gap is not done itself
            self._leave(row)

    def _compute(self, ids: Ids, steps: int, rows: int) -> None:
        """All layers over a window of ids (steps, rows)."""
        network, below = self._network, None
        for layer, state in zip(network.layers, self._states, strict=True):
            if below is None:
                z = network.words.project(ids.ravel(), self._z)
            else:
                z = layer.project(below, steps, rows, self._z)
            layer.run(z, state, steps, rows, self._tile)
            below = state

    def _pool(self, steps: int, rows: int) -> None:
        position = self._position[:rows]
        first = self._texts.firsts[self._document[:rows]]
        begin = np.clip(first - position, 0, steps)
        end = np.clip(self._end[:rows] - position, 0, steps)
        self._network.code.pool(
            address(self._states[-1].h, rows),
            c_long(rows),
            c_long(self._maximum.shape[1]),
            address(begin),
            address(end),
            address(self._maximum),
            address(self._sum),
        )

    def _write(self, row: int, step: int) -> None:
        """The vector of a document whose last word was at `step` (from 1) of the window."""
        document, features = self._document[row], self._network.features
        count = self._end[row] - self._texts.firsts[document]
        last, maximum, mean = np.split(self._vectors[document], 3)
        last[:] = self._states[-1].h[step * self._rows + row, :features]
        maximum[:] = self._maximum[row, :features]
        mean[:] = self._sum[row, :features] / np.float32(count)

    def _leave(self, row: int) -> None:
        """The last row takes the place of one that is done."""
        self._rows -= 1
        for array in (self._document, self._position, self._end, self._maximum, self._sum):
            array[row] = array[self._rows]
        for state in self._states:
            state.move(self._rows, row)
