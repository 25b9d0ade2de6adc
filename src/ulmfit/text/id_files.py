"""Texts -> a stream of ids on disk, with the offset of each document."""

import json
import os
from array import array
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ulmfit.files import write_atomically
from ulmfit.text.encoder import Encoder
from ulmfit.text.parallel import map_chunks
from ulmfit.text.preparation import replace_surrogates
from ulmfit.text.specials import UNKNOWN_ID


@dataclass(frozen=True)
class IdStats:
    """What was written.

    documents: texts. tokens: ids, one `xxbos` a text among them. unknown: ids that are `xxunk`.
    words: words as WikiText counts them: signs apart, line ends included, no marks.
    bytes: UTF-8 bytes of the raw texts.
    """

    documents: int
    tokens: int
    unknown: int
    words: int
    bytes: int

    @property
    def unknown_rate(self) -> float:
        """The share of tokens that the vocabulary lacks."""
        return self.unknown / self.tokens if self.tokens else 0.0


class _Chunk(NamedTuple):
    ids: bytes
    lengths: list[int]
    unknown: int
    words: int
    bytes: int


def write_ids(
    texts: Iterable[str],
    encoder: Encoder,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> IdStats:
    """Write the ids of texts to a folder, in constant memory.

    ids.bin: little endian, uint16 (uint32 for more than 65,536 tokens), texts end to end.
    offsets.npy: int64, (documents + 1,). stats.json: the result, written last.
    workers: processes; the ids do not depend on it.
    progress: called now and then with the tokens written so far.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stats.json").unlink(missing_ok=True)
    part = folder / "ids.bin.part"
    offsets = array("q", [0])
    try:
        with part.open("wb") as file:
            stats = _write_chunks(file, texts, encoder, workers, offsets, progress)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, folder / "ids.bin")
    finally:
        part.unlink(missing_ok=True)
    np.save(folder / "offsets.npy", np.array(offsets, np.int64))
    record = {**asdict(stats), "dtype": id_type(len(encoder.vocab)).name}
    # last: where stats.json stands, all is whole
    write_atomically(folder / "stats.json", (json.dumps(record, indent=1) + "\n").encode())
    return stats


def id_type(vocabulary: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest type that holds the ids of a vocabulary of this size."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def _write_chunks(
    file: BinaryIO,
    texts: Iterable[str],
    encoder: Encoder,
    workers: int,
    offsets: "array[int]",
    progress: Callable[[int], None] | None,
) -> IdStats:
    unknown = words = size = 0
    for chunk in map_chunks(_encode, encoder, texts, workers=workers):
        file.write(chunk.ids)
        for length in chunk.lengths:
            offsets.append(offsets[-1] + length)
        unknown += chunk.unknown
        words += chunk.words
        size += chunk.bytes
        if progress:
            progress(offsets[-1])
    return IdStats(len(offsets) - 1, offsets[-1], unknown, words, size)


def _encode(encoder: Encoder, chunk: list[str]) -> _Chunk:
    encoded = encoder.encode_batch(chunk)
    return _Chunk(
        encoded.ids.astype(id_type(len(encoder.vocab))).tobytes(),
        np.diff(encoded.offsets).tolist(),
        int(np.count_nonzero(encoded.ids == UNKNOWN_ID)),
        encoded.words,
        sum(len(text) if text.isascii() else _utf8_bytes(text) for text in chunk),
    )


def _utf8_bytes(text: str) -> int:
    return len(replace_surrogates(text).encode())
