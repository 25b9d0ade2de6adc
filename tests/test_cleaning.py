"""`clean` on files: flipped rows are found at their place; bad input is told."""

import csv
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ulmfit.bundle import Bundle
from ulmfit.cleaning import DoubtedLabel, clean, clean_file
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.options import Machine, Source
from ulmfit.text import Encoder

MACHINE = Machine("cpu", "fp32", workers=1)
FLIPPED = {4, 17, 30}  # lines of the file


@pytest.fixture(scope="module")
def lm(encoder: Encoder) -> Bundle:
    sizes = Architecture(len(encoder.vocab), 8, 8, 2)
    torch.manual_seed(0)
    weights = {"forward": LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()}
    return Bundle("language-model", sizes, encoder, weights)


@pytest.fixture
def data(tmp_path: Path) -> Source:
    """Sixty short texts, whose words tell the label; three labels are flipped, two are missing."""
    draw = random.Random(0)
    path = tmp_path / "data.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for line in range(2, 64):
            right = line % 2
            words = (("bad", "dull", "awful"), ("good", "great", "fine"))[right]
            text = " the film was ".join(draw.choice(words) for _ in range(3))
            given = ("bad", "good")[right ^ (line in FLIPPED)]
            rows.writerow([text, "" if line in (10, 11) else given])
    return Source((str(path),))


def test_flipped_labels_are_found_at_their_lines(lm, data):
    found = clean(lm, data, MACHINE)
    assert found.rows == 60 and found.not_judged == {}
    assert {each.line for each in found.doubted} <= FLIPPED
    first = found.doubted[0]
    assert first.line in FLIPPED and first.file == data.paths[0]
    assert {first.given, first.suggested} == {"bad", "good"}
    assert first.confidence > first.given_probability
    assert {each.line for each in clean(lm, data, MACHINE, count=3).doubted} == FLIPPED


def test_the_file(lm, data, tmp_path):
    out = tmp_path / "doubts.csv"
    found = clean_file(lm, data, out, MACHINE)
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(DoubtedLabel.__dataclass_fields__)
    assert [int(row["line"]) for row in rows] == [each.line for each in found.doubted]


def test_no_doubt_leaves_a_file_with_a_header(lm, data, tmp_path, monkeypatch):
    monkeypatch.setattr("ulmfit.cleaning.label_errors", lambda *given: [])
    out = tmp_path / "doubts.csv"
    clean_file(lm, data, out, MACHINE)
    assert out.read_text() == ",".join(DoubtedLabel.__dataclass_fields__) + "\n"


def test_rare_labels_are_not_judged(lm, data):
    path = Path(data.paths[0])
    path.write_text(path.read_text() + "this is the plot,rare\n" * 2)
    found = clean(lm, data, MACHINE)
    assert found.not_judged == {"rare": 2} and found.rows == 60
    assert all("rare" not in (each.given, each.suggested) for each in found.doubted)


def test_progress_is_told(lm, data):
    told = []
    clean(lm, data, MACHINE, lambda done, total: told.append((done, total)))
    assert told[-1] == (60, 60)


def test_one_label(lm, data, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("text,label\n" + "a film,good\n" * 9 + "a plot,bad\n" * 4)
    with pytest.raises(InputError, match=r"13 labelled rows of 2 labels, 1 of which"):
        clean(lm, Source((str(path),)), MACHINE)


def test_several_labels_in_a_row(lm, tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text('{"text": "a film", "label": ["a", "b"]}\n')
    with pytest.raises(InputError, match=r"many\.jsonl:1: several labels \(a, b\)"):
        clean(lm, Source((str(path),)), MACHINE)


def test_bad_destinations(lm, data, tmp_path):
    with pytest.raises(InputError, match="is the input"):
        clean_file(lm, data, Path(data.paths[0]), MACHINE)
    with pytest.raises(InputError, match=r"\.csv, \.tsv"):
        clean_file(lm, data, tmp_path / "doubts.doc", MACHINE)


def test_bad_rows(lm, data):
    path = Path(data.paths[0])
    path.write_text(path.read_text() + ",good\n")
    with pytest.raises(InputError, match="64"):
        clean(lm, data, MACHINE)
    told = []
    found = clean(lm, replace(data, skip_bad_rows=True), MACHINE, on_bad=told.append)
    assert found.rows == 60 and len(told) == 1


def test_no_label_column(lm, tmp_path):
    path = tmp_path / "none.csv"
    path.write_text("text,stars\na film,5\n")
    with pytest.raises(InputError, match="label"):
        clean(lm, Source((str(path),)), MACHINE)
