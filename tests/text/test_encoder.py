"""Text <-> ids, and the file that holds how."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.errors import InputError
from ulmfit.text import (
    Encoder,
    Rules,
    Vocab,
    WordTokenizer,
    build_encoder,
    coding,
    numbering,
    unit_table,
)
from ulmfit.text.units import word_units

TEXTS = ["The cat sat on the mat.", "The DOG sat, the cat sat!!!!", "no no no no cat"] * 3
ENCODER = build_encoder(lambda: TEXTS, kind="word")
SUBWORDS = build_encoder(lambda: TEXTS, kind="subword", max_vocab=300)


@given(
    st.lists(
        st.sampled_from(
            [
                "The",
                "cat",
                "SAT",
                "zebra",
                "zebras",
                "xxbos",
                "!",
                "!!!!",
                "\n",
                "no",
                "no",
                "ooooh",
            ]
        )
    )
)
def test_ids_are_those_of_the_tokens_after_xxbos(words: list[str]) -> None:
    text = " ".join(words)
    expected = [2] + [ENCODER.vocab.id(token) for token in ENCODER.tokenizer.tokens(text)]
    assert ENCODER.encode(text).tolist() == expected


def test_different_unknown_words_are_no_repetition() -> None:
    assert ENCODER.encode("lynx puma puma eland").tolist() == [2, 0, 0, 0, 0]
    assert ENCODER.encode("puma puma puma").tolist()[0:2] == [2, ENCODER.vocab.id("xxwrep")]


def test_decoding_gives_readable_text() -> None:
    assert ENCODER.decode(ENCODER.encode(TEXTS[1])) == TEXTS[1]
    assert ENCODER.decode(ENCODER.encode("The zebra sat.")) == "The <unk> sat."
    assert ENCODER.encode(TEXTS[0]).dtype == np.int32


@pytest.mark.parametrize("ids", [[-1], [10_000], [1.5]])
def test_ids_of_no_token_are_refused(ids: list[float]) -> None:
    with pytest.raises(InputError, match="expected whole numbers from 0 to"):
        ENCODER.decode(ids)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_batch_gives_what_each_text_gives_alone(texts: list[str]) -> None:
    batch = ENCODER.encode_batch(texts)
    alone = [ENCODER.encode(text) for text in texts]
    assert len(batch.offsets) == len(texts) + 1
    for i, ids in enumerate(alone):
        assert batch.ids[batch.offsets[i] : batch.offsets[i + 1]].tolist() == ids.tolist()


@pytest.mark.parametrize("bound", ["MAX_FORMS", "MAX_UNITS"])
def test_forgetting_changes_no_id(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"word{number}" for number in range(300)]
    encoder = build_encoder(lambda: words, min_count=1)
    before = [encoder.encode(word).tolist() for word in words]
    monkeypatch.setattr(coding, bound, 20)
    assert [encoder.encode(word).tolist() for word in words] == before
    coder = coding.Coder(lambda form: word_units(form, Rules()), collapse_words=True)
    tables = {id(coder.code([word]).table): coder.forms.table for word in words}
    assert len(coder.forms) < 40
    assert (len(tables) > 1) == (bound == "MAX_UNITS")


@pytest.mark.parametrize("length", [1, 1000])
def test_parts_of_forms_are_remembered_within_a_bound(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_table, "MAX_PARTS", 20)
    table, split = unit_table.UnitTable(), lambda part: word_units(part, Rules())
    parts = [f"{number}" * length for number in range(10)] * 9
    codes = [table.codes_of_part(part, split) for part in parts]
    assert codes == codes[:10] * 9
    assert len(table._parts) == (10 if length == 1 else 1)


def test_a_text_of_many_batches_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["no no\n\nno no no cat.", "", "\n", "no no no", "the cat " * 30]
    expected = ENCODER.encode_batch(texts)
    monkeypatch.setattr(numbering, "PIECE", 1)
    assert ENCODER.encode_batch(texts).ids.tolist() == expected.ids.tolist()
    assert ENCODER.encode_batch(texts).words == expected.words


def test_threads_share_an_encoder() -> None:
    texts = [f"{a} {b} {a}{b}!" for a in "abcdefghij" for b in "klmnopqrst"] * 3
    encoder = build_encoder(lambda: texts, min_count=1)
    expected = [encoder.encode(text).tolist() for text in texts]
    fresh = Encoder(WordTokenizer(), encoder.vocab)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: fresh.encode(text).tolist(), texts)) == expected


@pytest.mark.parametrize("encoder", [ENCODER, SUBWORDS], ids=["word", "subword"])
def test_file_and_pickle_give_the_same_encoder(encoder: Encoder, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    encoder.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["tokenizer.json"]
    for copy in (Encoder.load(path), pickle.loads(pickle.dumps(encoder))):
        assert copy.to_dict() == encoder.to_dict()
        assert copy.encode("The zebra SAT").tolist() == encoder.encode("The zebra SAT").tolist()


def _changed(**changes: Any) -> str:
    return json.dumps({**ENCODER.to_dict(), **changes})


TOKENS = ENCODER.vocab.tokens


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[]", "keys"),
        (_changed(more=1), "keys"),
        (_changed(format_version=2), "format_version is 2"),
        (_changed(tokenizer={"kind": "regex"}), "kind is 'regex'"),
        (_changed(tokenizer={"kind": ["word"]}), "kind is"),
        (_changed(tokenizer=3), "tokenizer"),
        (_changed(tokens=[1]), "tokens"),
        (_changed(tokens=["\ud800"]), r"tokens\[0\]"),
        (_changed(tokens=TOKENS[:-1]), "counts for"),
        (_changed(tokens=TOKENS[:-1] + TOKENS[-2:-1]), "stands twice"),
        (_changed(counts=[True] * len(TOKENS)), "counts"),
        (_changed(counts=[-1] * len(TOKENS)), "counts"),
    ],
)
def test_a_damaged_file_is_named(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        Encoder.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_undecodable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Encoder.load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="not a JSON file"):
        Encoder.load(tmp_path / "bytes.json")


def test_building_needs_text_and_a_known_kind() -> None:
    with pytest.raises(InputError, match="no text"):
        build_encoder(lambda: ["", "\n"])
    with pytest.raises(InputError, match="kind is 'bytes'"):
        build_encoder(lambda: TEXTS, kind="bytes")


def test_the_vocabulary_is_the_commonest_tokens() -> None:
    counts: dict[str, int] = {}
    for text in TEXTS:
        for token in WordTokenizer().tokens(text):
            counts[token] = counts.get(token, 0) + 1
    assert ENCODER.vocab.tokens == Vocab.from_counts(counts).tokens
    assert ENCODER.vocab.counts == Vocab.from_counts(counts).counts
