"""Texts on their way to a language model: long ones in pieces, none of them twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.bundle import Bundle
from ulmfit.pipeline import classifiers, encoding, finetuning, pretrain
from ulmfit.pipeline.encoding import TextSource, in_pieces
from ulmfit.pipeline.options import PretrainOptions, Source, TrainOptions
from ulmfit.presets import preset
from ulmfit.pretrained import open_pretrained

from .conftest import MACHINE, finish


@pytest.fixture(autouse=True)
def short() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "LONGEST", 12)
        yield


@given(st.lists(st.text("ab \n", max_size=60)))
def test_nothing_is_lost_and_no_word_is_cut_that_fits(texts: list[str]) -> None:
    found = [list(in_pieces([text])) for text in texts]
    assert list(in_pieces(texts)) == [piece for pieces in found for piece in pieces]
    for text, pieces in zip(texts, found, strict=True):
        assert "".join(pieces) == text
        assert all(0 < len(piece) <= 12 for piece in pieces) or text == ""
        words = [word for piece in pieces for word in piece.split()]
        assert max(map(len, text.split()), default=0) > 11 or words == text.split()


def test_a_line_s_end_is_the_better_place() -> None:
    assert list(in_pieces(["one two\nthree four five", "short"])) == [
        *("one two", "\nthree four", " five", "short")
    ]


def test_one_large_file_of_a_folder_is_many_documents(texts: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "all.txt").write_text("\n".join(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "LONGEST", 200)
        asked = PretrainOptions(
            *(Source((str(folder),)), str(tmp_path / "lm"), MACHINE),
            **{"embedding": 4, "hidden": 6, "layers": 1, "tokens": 50, "batch": 2, "min_count": 1},
        )
        finish(pretrain(asked))
    told = json.loads((tmp_path / "lm" / "config.json").read_text())["provenance"]["corpus"]
    assert told["documents"] > 5


class Enough(Exception):
    """What was asked is known."""


def test_the_language_model_of_a_classifier_reads_pieces_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def encoded_domain(lm: Bundle, texts: TextSource, *rest: object) -> Bundle:
        read.extend(texts())
        raise Enough

    monkeypatch.setattr(finetuning, "encoded_domain", encoded_domain)
    asked = TrainOptions(Source(("rows.csv",)), str(tmp_path / "m"), MACHINE)
    lm, chosen = open_pretrained("en-mini"), preset("default")
    texts = ["one two three four", "short", "one two three four"]
    with pytest.raises(Enough):
        finish(classifiers.tuned_on(lm, lambda: texts, asked, chosen, tmp_path))
    assert read == ["one two", " three four", "short"]
