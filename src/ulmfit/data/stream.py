"""One long stream of ids -> windows for truncated back-propagation through time (BPTT)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
SHORT = 0.05  # of the windows are half as long; Merity et al. 2017, sec. 5


@dataclass(frozen=True)
class Window:
    """Ids and the ids one step later, both (time, batch)."""

    ids: Ids
    targets: Ids


class Documents:
    """Documents of one id array in a chosen order and direction, read as one stream.

    Nothing is copied but what is read, so the array may be a memory map of any size.

    Args:
        ids: (tokens,) of any unsigned integer type; each document begins with xxbos.
        offsets: (documents + 1,) borders in `ids`.
        order: (documents,) which document comes when; None keeps the order.
        backward: give each document's tokens after xxbos in reverse.
    """

    def __init__(
        self,
        ids: NDArray[np.unsignedinteger],
        offsets: NDArray[np.int64],
        order: NDArray[np.int64] | None = None,
        backward: bool = False,
    ) -> None:
        self._ids = ids
        self._offsets = offsets
        self._order = np.arange(len(offsets) - 1) if order is None else order
        self._backward = backward
        lengths = np.diff(offsets)[self._order]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, start: int, stop: int) -> Ids:
        """Tokens `start` to `stop` of the stream, as int64."""
        position = int(np.searchsorted(self._starts, start, side="right")) - 1
        pieces = []
        while position < len(self._order) and self._starts[position] < stop:
            first = self._starts[position]
            pieces.append(self._part(position, max(0, start - first), stop - first))
            position += 1
        return np.concatenate(pieces)

    def _part(self, position: int, start: int, stop: int) -> Ids:
        """Tokens `start` to `stop` of one document, in the direction chosen."""
        which = self._order[position]
        begin, end = self._offsets[which], self._offsets[which + 1]
        if not self._backward:
            return self._ids[begin + start : min(begin + stop, end)].astype(np.int64)
        ids = self._ids[max(end - stop + 1, begin + 1) : end - max(start, 1) + 1][::-1]
        if start == 0:  # xxbos stays first
            ids = np.concatenate([self._ids[begin : begin + 1], ids])
        return ids.astype(np.int64)


def reverse_document(ids: Ids) -> Ids:
    """The same document for a backward model: xxbos stays first, the rest is reversed."""
    return np.concatenate([ids[:1], ids[:0:-1]])


class BPTTStream:
    """The windows of one epoch: the stream cut into `batch` rows read side by side.

    Window lengths are drawn as in Merity et al. 2017, sec. 5: from N(bptt, 5), and one time in
    twenty from N(bptt / 2, 5), at least 5; with ``variable=False`` all are `bptt`.

    Args:
        documents: what to read; tokens past the last full row are left out.
        batch: rows.
        bptt: mean steps of a window.
        seed: draws the lengths.
        variable: whether lengths vary.
        multiple: varied lengths are rounded to multiples of this, so that few differ.

    Raises:
        ValueError: fewer tokens than rows need to predict one token each.
    """

    def __init__(
        self,
        documents: Documents,
        batch: int,
        bptt: int,
        seed: int,
        variable: bool = True,
        multiple: int = 1,
    ) -> None:
        self.row_length = (len(documents) - 1) // batch
        if self.row_length < 1:
            raise ValueError(f"{len(documents)} tokens cannot fill {batch} rows; lower the batch")
        self._documents = documents
        self._batch = batch
        self.borders = _borders(self.row_length, bptt, seed, variable, multiple)

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.borders) - 1

    def windows(self, start: int = 0) -> Iterator[Window]:
        """Windows from number `start` on."""
        rows = [_Row(self._documents, b * self.row_length) for b in range(self._batch)]
        for begin, end in zip(self.borders[start:-1], self.borders[start + 1 :], strict=True):
            block = np.stack([row.read(int(begin), int(end) + 1) for row in rows], axis=1)
            yield Window(block[:-1], block[1:])


class _Row:
    """One row of the stream, read ahead in larger pieces."""

    AHEAD = 4096

    def __init__(self, documents: Documents, origin: int) -> None:
        self._documents = documents
        self._origin = origin
        self._start = 0
        self._cache = np.empty(0, np.int64)

    def read(self, begin: int, end: int) -> Ids:
        if begin < self._start or end > self._start + len(self._cache):
            stop = min(self._origin + max(begin + self.AHEAD, end), len(self._documents))
            self._cache = self._documents.read(self._origin + begin, stop)
            self._start = begin
        return self._cache[begin - self._start : end - self._start]


def mean_window(bptt: int, variable: bool = True) -> float:
    """Steps that a window of `BPTTStream` has on average."""
    if not variable:
        return bptt
    return (1 - SHORT) * bptt + SHORT * bptt / 2 - 0.5  # lengths are cut to whole steps


def _borders(length: int, bptt: int, seed: int, variable: bool, multiple: int) -> NDArray[np.int64]:
    if not variable:
        return np.append(np.arange(0, length, bptt), length)
    generator = np.random.default_rng(seed)
    count = length // 5 + 1
    mean = np.where(generator.random(count) < 1 - SHORT, bptt, bptt / 2)
    steps = np.maximum(5, generator.normal(mean, 5).astype(np.int64))
    steps = np.maximum(1, (steps + multiple // 2) // multiple) * multiple
    borders = np.concatenate([[0], np.cumsum(steps)])
    return np.append(borders[borders < length], length)
