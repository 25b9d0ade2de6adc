"""Texts to ids on disk and back, and their split."""

import os
from pathlib import Path

import numpy as np
import pytest

from ulmfit.corpus import MAX_VALID_TOKENS, open_corpus, prepare, split_documents
from ulmfit.errors import InputError
from ulmfit.text import build_encoder

TEXTS = ["A good film.", "", "Not a good film at all !!!!!", "word " * 500, "bad film"]
ENCODER = build_encoder(lambda: iter(TEXTS), min_count=1)


def test_each_document_is_what_the_encoder_says(tmp_path: Path) -> None:
    corpus = prepare(TEXTS, ENCODER, tmp_path / "c")
    assert len(corpus.offsets) == len(TEXTS) + 1
    for text, begin, end in zip(TEXTS, corpus.offsets, corpus.offsets[1:], strict=False):
        assert corpus.ids[begin:end].tolist() == ENCODER.encode(text).tolist()
    assert corpus.lengths.sum() == corpus.stats.tokens == len(corpus.ids)
    assert isinstance(corpus.ids, np.memmap)


def test_what_was_finished_is_opened_again_and_not_encoded_twice(tmp_path: Path) -> None:
    prepare(TEXTS, ENCODER, tmp_path / "c")

    def never() -> list[str]:
        raise AssertionError("read again")

    again = prepare((text for text in [None] for text in never()), ENCODER, tmp_path / "c")
    assert again.stats.documents == len(TEXTS)


@pytest.mark.parametrize("last", ["ids.bin", "stats.json"])
def test_encoding_cut_short_anywhere_is_done_again(
    last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def stop(source: Path, target: Path) -> None:
        if target.name == last:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare(TEXTS, ENCODER, tmp_path / "c")
    monkeypatch.undo()
    again = prepare(TEXTS, ENCODER, tmp_path / "c")
    assert again.ids.tolist() == prepare(TEXTS, ENCODER, tmp_path / "whole").ids.tolist()
    names = sorted(p.name for p in again.folder.iterdir())
    assert names == ["ids.bin", "offsets.npy", "stats.json"]


@pytest.mark.parametrize("texts", [[], ["", ""]], ids=["no text", "empty texts"])
def test_a_corpus_without_words_is_refused(tmp_path: Path, texts: list[str]) -> None:
    with pytest.raises(InputError, match="holds no words"):
        prepare(texts, ENCODER, tmp_path / "c")


def test_a_folder_that_is_no_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}: not an encoded corpus"):
        open_corpus(tmp_path)


def test_ids_that_were_cut_are_noticed(tmp_path: Path) -> None:
    folder = prepare(TEXTS, ENCODER, tmp_path / "c").folder
    data = (folder / "ids.bin").read_bytes()
    (folder / "ids.bin").write_bytes(data[:-4])
    with pytest.raises(InputError, match="ids on disk"):
        open_corpus(folder)


def test_the_stream_of_chosen_documents(tmp_path: Path) -> None:
    corpus = prepare(TEXTS, ENCODER, tmp_path / "c")
    wanted = [*ENCODER.encode(TEXTS[4]), *ENCODER.encode(TEXTS[0])]
    stream = corpus.documents(np.array([4, 0]))
    assert stream.read(0, len(stream)).tolist() == wanted


def test_a_split_is_complete_apart_and_repeatable() -> None:
    lengths = np.random.default_rng(0).integers(1, 300, 1000)
    train, valid = split_documents(lengths, 0.1)
    assert len(valid) == 100
    assert sorted([*train, *valid]) == list(range(1000))
    assert np.array_equal(valid, split_documents(lengths, 0.1)[1])
    assert 300 < valid.mean() < 700 and len(set(np.diff(valid))) > 5  # from all over the corpus


def test_validation_is_capped_and_never_takes_everything() -> None:
    train, valid = split_documents(np.full(1000, 10_000), 0.5)
    assert len(valid) * 10_000 == MAX_VALID_TOKENS
    assert len(train) + len(valid) == 1000
    for count in (1, 2):
        train, valid = split_documents(np.full(count, 10**7), 0.1)
        assert (len(train), len(valid)) == (1, count - 1)
    assert len(split_documents(np.full(9, 5), 0.0)[1]) == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 10, 15, 25, 100, 1000, 30_000])
@pytest.mark.parametrize("length", [8, 270, 300_000])
def test_documents_of_like_size_are_held_out_by_number_alone(count: int, length: int) -> None:
    """The published language models and figures stand on this draw."""
    lengths = np.random.default_rng(count).integers(length, round(1.25 * length), count)
    order = np.random.default_rng(0).permutation(count)
    valid = order[: min(max(1, round(0.1 * count)), count - 1)]
    keep = max(int((np.cumsum(lengths[valid]) <= 250_000).sum()), min(1, len(valid)))
    train, held_out = split_documents(lengths, 0.1)
    assert held_out.tolist() == sorted(order[:keep])
    assert train.tolist() == sorted(order[keep:])


def test_texts_of_many_lengths_are_held_out_by_number_alone() -> None:
    """As reviews are: some are twenty times as long as others."""
    lengths = np.random.default_rng(0).lognormal(5.3, 0.8, 2000).astype(np.int64) + 2
    order = np.random.default_rng(0).permutation(2000)
    assert split_documents(lengths, 0.1)[1].tolist() == sorted(order[:200])


@pytest.mark.parametrize("long", range(4))
@pytest.mark.parametrize("count", [2, 3, 4])
def test_most_of_the_text_is_learned_from_wherever_it_stands(count: int, long: int) -> None:
    """Of a few files one is much longer than the others together."""
    lengths = np.full(count, 1000)
    lengths[long % count] = 180_000
    train, valid = split_documents(lengths, 0.1)
    assert long % count in train and lengths[valid].tolist() == [1000]


def test_a_long_document_among_many_is_not_held_out() -> None:
    lengths = np.full(100, 50)
    lengths[np.random.default_rng(0).permutation(100)[:3]] = 100_000  # first in the draw
    train, valid = split_documents(lengths, 0.1)
    assert set(lengths[valid]) == {50} and len(valid) == 10
    assert sorted([*train, *valid]) == list(range(100))


@pytest.mark.parametrize(("texts", "whole"), [(n, i) for n in range(1, 6) for i in range(n)])
def test_the_only_text_with_words_is_never_held_out(texts: int, whole: int) -> None:
    lengths = np.ones(texts, np.int64)
    lengths[whole] = 50
    assert whole in split_documents(lengths, 0.1)[0]
