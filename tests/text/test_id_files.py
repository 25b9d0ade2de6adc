"""Ids on disk."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ulmfit.text import Encoder, Vocab, WordTokenizer, build_encoder, write_ids
from ulmfit.text.specials import SPECIALS

TEXTS = ["The cat sat.", "", "A cat,\na DOG!!!! é \ud800", "zebra"]
ENCODER = build_encoder(lambda: TEXTS * 2, min_count=3)


def _read(folder: Path, dtype: str = "<u2") -> list[list[int]]:
    ids = np.fromfile(folder / "ids.bin", dtype)
    offsets = np.load(folder / "offsets.npy", allow_pickle=False)
    assert offsets.dtype == np.int64
    assert offsets[-1] == len(ids)
    return [ids[a:b].tolist() for a, b in pairwise(offsets)]


def test_each_document_lies_between_its_offsets(tmp_path: Path) -> None:
    stats = write_ids(TEXTS, ENCODER, tmp_path)
    assert _read(tmp_path) == [ENCODER.encode(text).tolist() for text in TEXTS]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "ids.bin",
        "offsets.npy",
        "stats.json",
    ]
    ids = [i for document in _read(tmp_path) for i in document]
    assert (stats.documents, stats.tokens, stats.unknown) == (4, len(ids), ids.count(0))
    assert stats.unknown_rate == ids.count(0) / len(ids)
    # The cat sat . | A cat , | a D ! ! ! ! é U+FFFD | zebra, and four line ends
    assert stats.words == 4 + 3 + 8 + 1 + 4
    assert stats.bytes == sum(len(text.encode(errors="surrogatepass")) for text in TEXTS)
    assert json.loads((tmp_path / "stats.json").read_text())["dtype"] == "uint16"


def test_large_vocabularies_take_four_bytes(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(70_000)]
    write_ids([words[-1]], Encoder(WordTokenizer(), Vocab([*SPECIALS, *words])), tmp_path)
    assert _read(tmp_path, "<u4") == [[2, 70_007]]


def test_no_texts_are_an_empty_stream(tmp_path: Path) -> None:
    assert write_ids([], ENCODER, tmp_path).tokens == 0
    assert _read(tmp_path) == []


def test_workers_change_neither_vocabulary_nor_ids(tmp_path: Path) -> None:
    texts = [
        f"the text number {number % 977} of {number}, sooo loooong" for number in range(20_000)
    ]
    alone = build_encoder(lambda: texts)
    encoder = build_encoder(lambda: iter(texts), workers=2)
    assert encoder.to_dict() == alone.to_dict()
    written: list[int] = []
    stats = write_ids(iter(texts), encoder, tmp_path / "two", workers=2, progress=written.append)
    assert stats == write_ids(texts, encoder, tmp_path / "one", workers=1)
    for name in ("ids.bin", "offsets.npy", "stats.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert written == sorted(written)
    assert written[-1] == stats.tokens


def test_a_source_that_fails_leaves_no_stream(tmp_path: Path) -> None:
    def texts() -> Iterator[str]:
        yield "a cat"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_ids(texts(), ENCODER, tmp_path)
    assert list(tmp_path.iterdir()) == []
