"""Suggestions from files: distinct, unlabelled, with all their columns; bad input is told."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ulmfit.errors import InputError
from ulmfit.manifest import TargetConfig
from ulmfit.pipeline.options import Machine, Source
from ulmfit.predict import Predictor
from ulmfit.suggestions import suggest, suggest_file
from ulmfit.suggestions.candidates import text_key
from ulmfit.suggestions.suggesting import ADDED, MOST

MACHINE = Machine("cpu", "fp32", workers=1)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_all_that_there_are_distinct(classifier, pool):
    found = suggest(classifier, pool, 50, machine=MACHINE)
    keys = {text_key(row.text) for row in pool.rows() if row.label is None}
    assert {text_key(s.row.text) for s in found} == keys
    assert len(found) == len(keys) < 45  # ten of the 45 stand there twice


def test_they_come_from_the_most_uncertain(classifier, pool, monkeypatch):
    monkeypatch.setattr("ulmfit.suggestions.suggesting.PER_SUGGESTION", 2)
    found = suggest(classifier, pool, 4, machine=MACHINE)
    texts = [row.text for row in pool.rows() if row.label is None][:35]
    ordered = np.sort(np.stack(list(Predictor(classifier).probabilities(texts))), 1)
    unsure = 1 - (ordered[:, -1] - ordered[:, -2])
    border = np.sort(unsure)[-8]
    assert len(found) == 4
    assert all(s.uncertainty >= border - 1e-6 for s in found)
    assert found[0].uncertainty == pytest.approx(unsure.max())


def test_what_is_told(classifier, pool):
    for each in suggest(classifier, pool, 5, machine=MACHINE):
        probabilities = next(Predictor(classifier).probabilities([each.row.text]))
        assert each.predicted == classifier.labels[int(probabilities.argmax())]
        assert each.reason.startswith(f"{each.predicted} {probabilities.max():.2f} or ")
        assert 0 <= each.uncertainty <= 1 and 0 <= each.distance <= 2


def test_rows_with_a_label_are_passed_over(classifier, pool):
    found = suggest(classifier, pool, 50, machine=MACHINE)
    assert {int(s.row.fields["id"]) for s in found}.isdisjoint(range(35, 40))


def test_labels_in_another_column_are_passed_over_where_it_is_named(classifier, pool):
    path = Path(pool.paths[0])
    path.write_text(path.read_text().replace("id,text,label", "id,text,tag"))
    named = suggest(classifier, replace(pool, label="tag"), 50, machine=MACHINE)
    assert {int(s.row.fields["id"]) for s in named}.isdisjoint(range(35, 40))
    unnamed = suggest(classifier, pool, 50, machine=MACHINE)
    assert {int(s.row.fields["id"]) for s in unnamed} >= set(range(35, 40))


@pytest.mark.parametrize("name", ["Label", "sentiment", "Topic"])
def test_labels_in_a_column_that_training_would_find_are_passed_over(
    classifier, pool, tmp_path, name
):
    path, out = Path(pool.paths[0]), tmp_path / "next.csv"
    path.write_text(path.read_text().replace("id,text,label", f"id,text,{name}"))
    found = suggest_file(classifier, pool, out, 50, machine=MACHINE)
    assert {int(s.row.fields["id"]) for s in found}.isdisjoint(range(35, 40))
    assert list(rows_of(out)[0]) == ["id", "text", name, *ADDED]  # no second one to fill in


def test_a_topic_that_is_none_of_the_labels_is_a_column_like_another(classifier, tmp_path):
    given, out = tmp_path / "pool.csv", tmp_path / "next.csv"
    given.write_text("text,topic\na good film,sport\nbad,art\n")
    assert len(suggest_file(classifier, Source((str(given),)), out, 5, machine=MACHINE)) == 2
    assert list(rows_of(out)[0]) == ["text", "topic", "label", *ADDED]


def test_texts_that_are_labelled_elsewhere_are_passed_over(classifier, pool, texts, tmp_path):
    path = tmp_path / "labelled.csv"
    path.write_text("text,label\n" + "".join(f"{t.upper()},good\n" for t in texts[:30]))
    found = suggest(classifier, pool, 50, labelled=[Source((str(path),))], machine=MACHINE)
    assert {int(s.row.fields["id"]) for s in found} == set(range(30, 35))


def test_a_file_ready_to_be_labelled(classifier, pool, tmp_path):
    out = tmp_path / "next.csv"
    found = suggest_file(classifier, pool, out, 7, machine=MACHINE)
    rows = rows_of(out)
    assert list(rows[0]) == ["id", "text", "label", *ADDED]
    assert [row["text"] for row in rows] == [s.row.text for s in found]
    assert [row["suggestion"] for row in rows] == [str(i) for i in range(1, 8)]


def test_a_column_for_the_label_is_added_and_no_column_is_lost(classifier, tmp_path):
    given = tmp_path / "pool.jsonl"
    given.write_text('{"text": "a good film", "reason": "mine"}\n{"text": "bad", "x": 1}\n')
    out = tmp_path / "next.csv"
    suggest_file(classifier, Source((str(given),)), out, 2, machine=MACHINE)
    rows = {row["text"]: row for row in rows_of(out)}
    assert rows["a good film"]["label"] == "" and rows["a good film"]["reason"] == "mine"
    assert " or " in rows["a good film"]["reason_predicted"] and rows["bad"]["x"] == "1"


@pytest.mark.parametrize("name", ["next.jsonl", "next.parquet", "next.tsv"])
def test_other_formats(classifier, pool, tmp_path, name):
    suggest_file(classifier, pool, tmp_path / name, 3, machine=MACHINE)
    assert len(list(Source((str(tmp_path / name),)).rows())) == 3


def test_several_labels(classifier, pool):
    several = replace(classifier, target=TargetConfig(kind="multi", separator="|"))
    found = suggest(several, pool, 3, machine=MACHINE)
    assert len(found) == 3 and all(s.reason.endswith(" or not") for s in found)


def test_the_same_seed_gives_the_same(classifier, pool):
    first, again = (suggest(classifier, pool, 10, machine=MACHINE) for _ in range(2))
    assert first == again


def test_bad_calls(classifier, pool, tmp_path):
    for count in (0, MOST + 1):
        with pytest.raises(InputError, match="choose a number from 1"):
            suggest(classifier, pool, count, machine=MACHINE)
    with pytest.raises(InputError, match="language-model"):
        suggest(replace(classifier, kind="language-model"), pool, machine=MACHINE)
    with pytest.raises(InputError, match="is the input"):
        suggest_file(classifier, pool, Path(pool.paths[0]), machine=MACHINE)
    with pytest.raises(InputError, match=r"\.csv, \.tsv"):
        suggest_file(classifier, pool, tmp_path / "next.xlsx", machine=MACHINE)
    with pytest.raises(InputError, match="there is no folder"):
        suggest_file(classifier, pool, tmp_path / "no" / "next.csv", machine=MACHINE)


def test_a_value_has_no_uncertainty(classifier, pool):
    sizes = classifier.architecture
    from ulmfit.bundle import empty_classifier

    weights = {"forward": empty_classifier(sizes, classifier.head, 1).state_dict()}
    real = replace(classifier, labels=[], target=TargetConfig(kind="real"), weights=weights)
    with pytest.raises(InputError, match="real-valued"):
        suggest(real, pool, machine=MACHINE)


def test_nothing_without_a_label(classifier, tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("text,label\nfine,good\n")
    with pytest.raises(InputError, match="no text without a label"):
        suggest(classifier, Source((str(path),), label="label"), machine=MACHINE)


def test_a_bad_row_is_found_before_the_model_reads(classifier, pool, monkeypatch):
    path = Path(pool.paths[0])
    path.write_text(path.read_text() + "99,,\n")
    monkeypatch.setattr(Predictor, "answers", lambda *a, **k: pytest.fail("too late"))
    with pytest.raises(InputError, match=r"pool\.csv.*52"):
        suggest(classifier, pool, machine=MACHINE)


def test_bad_rows_can_be_skipped_and_are_told_once(classifier, pool):
    path = Path(pool.paths[0])
    path.write_text(path.read_text() + "99,,\n")
    told = []
    suggest(classifier, replace(pool, skip_bad_rows=True), 3, machine=MACHINE, on_bad=told.append)
    assert len(told) == 1
