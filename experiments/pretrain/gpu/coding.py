"""Ids as bytes that compress well: one byte for the 128 commonest, two for the rest.

Ids stand in order of frequency, so half of a text's tokens take one byte. On 1.5 million tokens
of Wikipedia, bits a token (seconds of one core for 4 million beside it): uint16 as it is under
bz2 8.59 (0.8), under zstd -19 8.13 (5); these bytes under bz2 8.13 (0.5), zstd -19 7.80 (1.9),
xz -6 7.63 (2.9), which is taken; the entropy of single words is 9.03.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SHORT = 128  # ids below take one byte; a first byte from here on begins two
LARGEST = SHORT + (256 - SHORT) * 256 - 1
BLOCK = 1 << 20  # ids put into bytes at a time
SLICE = 1 << 22  # bytes turned back at a time: even, as ids of two bytes are
HELD = 2 * (BLOCK + (1 << 20))  # bytes: a block, and what the compressor holds back (2 MiB)
XZ = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 25, "lc": 3, "lp": 0, "pb": 0}]


def to_bytes(ids: NDArray[np.unsignedinteger]) -> bytes:
    """Ids up to `LARGEST` -> one or two bytes each."""
    numbers = ids.astype(np.int64)
    if len(numbers) and numbers.max() > LARGEST:
        raise ValueError(f"id {numbers.max()} does not fit in two bytes: the largest is {LARGEST}")
    long = numbers >= SHORT
    at = np.cumsum(1 + long) - (1 + long)
    coded = np.zeros(len(numbers) + int(long.sum()), np.uint8)
    rest = numbers - SHORT
    coded[at] = np.where(long, SHORT + (rest >> 8), numbers)
    coded[at[long] + 1] = rest[long] & 255
    return coded.tobytes()


def from_bytes(data: bytes) -> NDArray[np.uint16]:
    """What `to_bytes` was given. `data` must not end within an id."""
    coded = np.frombuffer(data, np.uint8).astype(np.uint16)
    begins = _begins(coded)
    first = coded[begins]
    second = np.append(coded, 0)[begins + 1]
    return np.where(first < SHORT, first, SHORT + ((first - SHORT) << 8) + second).astype(np.uint16)


def _begins(coded: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Where ids begin: any byte may be a second one, so a chain of large bytes is counted out.

    In a run of bytes >= `SHORT` that follows a byte below it, every other one begins an id; the
    byte that ends the run is a second byte where the run is odd.
    """
    large = coded >= SHORT
    index = np.arange(len(coded))
    last_small = np.maximum.accumulate(np.where(large, -1, index))
    before = np.concatenate([[-1], last_small[:-1]])  # the last small byte before each
    return np.flatnonzero((index - before - 1) % 2 == 0)


def pieces(ids: NDArray[np.unsignedinteger], limit: int) -> Iterator[tuple[bytes, int]]:
    """(compressed bytes, ids in them), each at most `limit` bytes and whole in itself."""
    if limit <= HELD:
        raise ValueError(f"a piece of {limit} bytes is too small: more than {HELD} are needed")
    start = 0
    while start < len(ids):
        packer = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=XZ)
        out, first = bytearray(), start
        while start < len(ids) and len(out) + HELD < limit:
            out += packer.compress(to_bytes(ids[start : start + BLOCK]))
            start = min(start + BLOCK, len(ids))
        out += packer.flush()
        yield bytes(out), start - first


def opened(piece: bytes) -> NDArray[np.uint16]:
    """The ids of one piece."""
    data = lzma.decompress(piece)
    cuts, start = [0], 0
    while start < len(data):
        start = _cut(data, start)
        cuts.append(start)
    parts = [from_bytes(data[a:b]) for a, b in pairwise(cuts)]
    return np.concatenate([np.empty(0, np.uint16), *parts])


def _cut(data: bytes, start: int) -> int:
    """Where to cut `data` some `SLICE` bytes behind `start`: an id ends with every small byte."""
    stop = start + SLICE
    if stop >= len(data):
        return len(data)
    small = np.flatnonzero(np.frombuffer(data[start:stop], np.uint8) < SHORT)
    return start + int(small[-1]) + 1 if len(small) else stop
