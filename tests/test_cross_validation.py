"""Cross-validation: each row is measured once, by a model that had not seen it; it resumes."""

import csv
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.cross_validation import CrossValidated, CrossValidationOptions, cross_validate
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline import Note
from ulmfit.pipeline.held_out import Bench, with_finetuned
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.report.history import read_record
from ulmfit.run import Plan
from ulmfit.text import Encoder
from ulmfit.training.loop import Step

Result = TypeVar("Result")


def finish(events: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    told = []
    while True:
        try:
            told.append(next(events))
        except StopIteration as end:
            return told, end.value


@pytest.fixture(scope="module")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    torch.manual_seed(0)
    direction: Direction = "forward"
    weights = {direction: LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()}
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(Bundle("language-model", sizes, encoder, weights), folder, "")
    return folder


@pytest.fixture
def options(lm: Path, texts: list[str], tmp_path: Path) -> CrossValidationOptions:
    """Two folds of thirty labelled rows; every third of all rows has no label."""
    path = tmp_path / "data.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "label"])
        for i, text in enumerate(texts):
            rows.writerow([i, text, ("bad", "good")[i % 2] if i % 4 < 3 else ""])
    train = TrainOptions(
        Source((str(path),)),
        str(tmp_path / "work"),
        Machine("cpu", "fp32", workers=1),
        str(lm),
        finetune=False,
        epochs=1,
    )
    return CrossValidationOptions(train, folds=2)


def test_answers_of_rows_with_different_columns(
    options: CrossValidationOptions, texts: list[str], tmp_path: Path
) -> None:
    path, out = tmp_path / "data.jsonl", tmp_path / "answers.csv"
    rows = [
        {"text": text, "label": ("bad", "good")[i % 2], **({"x": i} if i > 30 else {})}
        for i, text in enumerate(texts)
    ]
    rows[35]["fold"] = "mine"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = replace(options.train, data=Source((str(path),)))
    finish(cross_validate(replace(options, train=data, predictions=str(out))))
    with open(out, newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["x"] for row in read[30:33]] == ["", "31", "32"]
    assert read[35]["fold"] == "mine" and read[0]["fold"] == ""
    assert {row["fold_held_out"] for row in read} == {"1", "2"}


def test_every_row_is_measured_once_by_a_model_that_had_not_seen_it(
    options: CrossValidationOptions,
) -> None:
    events, found = finish(cross_validate(options))
    assert (found.rows, found.folds, found.kind) == (30, 2, "single")
    assert [(e["repeat"], e["fold"], e["n"], e["train_rows"]) for e in found.each] == [
        (1, 1, 15, 15),
        (1, 2, 15, 15),
    ]
    assert found.language_model.startswith("as given")
    mean = np.mean([e["accuracy"] for e in found.each])
    assert found.summary["accuracy"].mean == pytest.approx(mean)
    assert {"macro_f1", "log_loss", "calibration_error"} <= found.summary.keys()
    assert "n" not in found.summary
    notes = [e.text for e in events if isinstance(e, Note)]
    assert any(note.startswith("fold 2 of 2: accuracy") for note in notes)
    told = json.loads((Path(options.train.out) / "cross-validation.json").read_text())
    assert told["summary"]["accuracy"]["mean"] == pytest.approx(mean)


def test_rows_that_change_between_two_folds_are_noticed(options: CrossValidationOptions) -> None:
    events = cross_validate(options)
    next(event for event in events if isinstance(event, Note) and "fold 1" in event.text)
    data = Path(options.train.data.paths[0])
    data.write_text(data.read_text().replace("text,label\n", "text,label\n-1,one more film,\n"))
    with pytest.raises(InputError, match=r"data\.csv:2: changed while it was being learned from"):
        finish(events)


def test_the_answers_are_those_of_the_model_without_the_row(
    options: CrossValidationOptions, tmp_path: Path
) -> None:
    out = tmp_path / "answers.csv"
    _, found = finish(cross_validate(replace(options, predictions=str(out))))
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [int(row["id"]) for row in rows] == [i for i in range(40) if i % 4 < 3]
    for fold in (1, 2):
        mine = [row for row in rows if row["fold"] == str(fold)]
        right = np.mean([row["label_predicted"] == row["label"] for row in mine])
        assert right == pytest.approx(found.each[fold - 1]["accuracy"])
    for row in rows:
        assert float(row["p_bad"]) + float(row["p_good"]) == pytest.approx(1, abs=1e-6)


def test_no_text_that_is_measured_on_is_read_wherever_it_stands(
    options: CrossValidationOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(options.train.data.paths[0], newline="") as file:
        rows = list(csv.DictReader(file))
    more = tmp_path / "all.csv"
    more.write_text("text\n" + "".join(f'"{row["text"]}"\n' for row in rows) + "one more\n")
    read: list[set[str]] = []

    def tuned(lm: Bundle, texts: Callable[[], Iterator[str]], *how: Any) -> Any:
        read.append(set(texts()))
        return lm
        yield

    monkeypatch.setattr("ulmfit.pipeline.held_out.tuned_on", tuned)
    own = replace(options.train, finetune=True, unlabelled=(str(more),))
    out = tmp_path / "answers.csv"
    asked = replace(options, train=own, lm_per_fold=True, predictions=str(out))
    finish(cross_validate(asked))
    with open(out, newline="") as file:
        answered = list(csv.DictReader(file))
    for fold, texts in enumerate(read, 1):
        held_out = {row["text"] for row in answered if row["fold"] == str(fold)}
        others = {row["text"] for row in rows} - held_out
        assert held_out and texts == others | {"one more"}


def test_answers_below_the_border_are_left_open(
    options: CrossValidationOptions, tmp_path: Path
) -> None:
    out = tmp_path / "answers.csv"
    train = replace(options.train, abstain_below=0.999)
    finish(cross_validate(replace(options, train=train, predictions=str(out))))
    with open(out, newline="") as file:
        answered = list(csv.DictReader(file))
    for row in answered:
        sure = max(float(row["p_bad"]), float(row["p_good"])) >= 0.999
        assert (row["label_predicted"] != "") == sure == (row["abstained"] == "False")
    assert any(row["abstained"] == "True" for row in answered)


def test_repeats_deal_and_draw_anew(options: CrossValidationOptions) -> None:
    _, found = finish(cross_validate(replace(options, repeats=2)))
    assert [e["repeat"] for e in found.each] == [1, 1, 2, 2]
    assert found.each[0]["log_loss"] != found.each[2]["log_loss"]
    low, high = found.summary["accuracy"].low, found.summary["accuracy"].high
    assert low is not None and high is not None and 0 <= low <= high <= 1


def test_each_repeat_fine_tunes_by_a_seed_of_its_own(
    options: CrossValidationOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []

    def finetuned(on: Bench, *given: Any, **more: Any) -> Any:
        seeds.append(on.options.machine.seed)
        return with_finetuned(on, *given, **more)

    monkeypatch.setattr("ulmfit.cross_validation.with_finetuned", finetuned)
    train = replace(options.train, finetune=True, lm_epochs=1)
    finish(cross_validate(replace(options, train=train, lm_per_fold=True, repeats=2)))
    assert seeds == [0, 0, 1, 1]


def plans(events: list[Any]) -> list[str]:
    return [e.stage for e in events if isinstance(e, Plan)]


def test_the_language_model_is_fine_tuned_once_or_for_each_fold(
    options: CrossValidationOptions, tmp_path: Path
) -> None:
    train = replace(options.train, finetune=True, lm_epochs=1)
    events, found = finish(cross_validate(replace(options, train=train)))
    assert [s.startswith("fine") for s in plans(events)] == [True, False, False]
    assert "texts of all rows" in found.language_model
    assert read_record(Path(train.out) / "language-model") is not None
    notes = [e.text for e in events if isinstance(e, Note)]
    assert any(note.startswith("40 texts") for note in notes)  # those without a label too
    own = replace(train, out=str(tmp_path / "own"))
    events, found = finish(cross_validate(replace(options, train=own, lm_per_fold=True)))
    assert [s.startswith("fine") for s in plans(events)] == [True, False, True, False]
    assert "without the texts" in found.language_model
    notes = [e.text for e in events if isinstance(e, Note)]
    assert sum(note.startswith("25 texts") for note in notes) == 2  # 40 but for a fold of 15


def plan_steps(events: list[Any]) -> int:
    """Of the first classifier."""
    return next(e.steps for e in events if isinstance(e, Plan) and e.stage.startswith("class"))


def same(a: CrossValidated, b: CrossValidated) -> bool:
    return a.each == b.each and a.summary == b.summary


def test_stopped_anywhere_it_goes_on_to_the_same_end(options: CrossValidationOptions) -> None:
    train = replace(options.train, finetune=True, lm_epochs=1)
    options = replace(options, train=train)
    whole_events, whole = finish(cross_validate(options))
    for stop in ("fine-tuning", "classifier", "second"):
        out = Path(train.out).with_name(stop)
        again = replace(options, train=replace(train, out=str(out)))
        events = cross_validate(again)
        stage = ""
        for event in events:
            stage = event.stage if isinstance(event, Plan) else stage
            seen = isinstance(event, Note) and event.text.startswith("fold 1 of 2")
            if (isinstance(event, Step) and stage.startswith(stop)) or (stop == "second" and seen):
                break
        with pytest.raises(KeyboardInterrupt):
            events.throw(KeyboardInterrupt())
        events_left, found = finish(cross_validate(again))
        assert same(found, whole), stop
        if stop == "second":
            assert len(plans(events_left)) == 1
        assert not list(out.rglob("checkpoint.safetensors"))
        first = read_record(out / "1-1")
        assert first is not None and len(first.stages[0].at) == plan_steps(whole_events)
        assert len(first.run["sessions"]) == (2 if stop == "classifier" else 1)
    events_left, found = finish(cross_validate(options))  # a finished one is told again at once
    assert same(found, whole) and not plans(events_left)


def test_other_kinds_of_target(
    options: CrossValidationOptions, texts: list[str], tmp_path: Path
) -> None:
    rows = [
        {"text": t, "label": ["bad"] * (i % 2) + ["odd"] * (i % 3 == 0), "stars": i % 7}
        for i, t in enumerate(texts)
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    multi = replace(options.train, data=Source((str(path),)), out=str(tmp_path / "multi"))
    out = tmp_path / "answers.jsonl"
    _, found = finish(cross_validate(replace(options, train=multi, predictions=str(out))))
    assert found.kind == "multi" and "micro_f1" in found.summary
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert all(isinstance(answer["label_predicted"], list) for answer in answers)
    real = replace(multi, data=replace(multi.data, label="stars"), task="real")
    real = replace(real, out=str(tmp_path / "real"))
    _, found = finish(cross_validate(replace(options, train=real, predictions=str(out))))
    assert found.kind == "real" and {"mae", "rmse", "r2"} <= found.summary.keys()
    first = json.loads(out.read_text().splitlines()[0])
    assert isinstance(first["value"], float) and first["fold"] in (1, 2)


def refused(options: CrossValidationOptions, match: str) -> None:
    with pytest.raises(InputError, match=match):
        next(cross_validate(options))
    assert not Path(options.train.out).exists()


def test_a_file_that_is_read_is_not_replaced(
    options: CrossValidationOptions, tmp_path: Path
) -> None:
    data = Path(options.train.data.paths[0])
    before = data.read_bytes()
    refused(replace(options, predictions=str(data)), "is the input; choose another file")
    more = tmp_path / "more.csv"
    more.write_text("text\na film\n")
    train = replace(options.train, finetune=True, unlabelled=(str(more),))
    refused(replace(options, train=train, predictions=str(more)), "is the input")
    assert data.read_bytes() == before and more.read_text() == "text\na film\n"


def test_a_record_of_every_fold_is_kept_and_nothing_large(options: CrossValidationOptions) -> None:
    out = Path(options.train.out)
    train = replace(options.train, finetune=True, lm_epochs=1)
    _, found = finish(cross_validate(replace(options, train=train, lm_per_fold=True)))
    for fold in (1, 2):
        place = out / f"1-{fold}"
        kept = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
        records = {"training.jsonl", "language-model/training.jsonl"}
        assert kept == {"figures.json", "logits.npy", *records}
        record, lm = read_record(place), read_record(place / "language-model")
        assert record is not None and lm is not None
        assert [stage.name for stage in (*record.stages, *lm.stages)] == ["classifier", "finetune"]
        assert (record.run["repeat"], record.run["fold"]) == (1, fold)
        words = record.run["command_line"]
        assert words[:2] == ["ulmfit", "cross-validate"] and "--lm-per-fold" in words
        last = json.loads((place / "training.jsonl").read_text().splitlines()[-1])
        assert last["figures"]["test"]["accuracy"] == pytest.approx(
            found.each[fold - 1]["accuracy"]
        )


def test_what_is_refused_at_the_door(options: CrossValidationOptions, tmp_path: Path) -> None:
    refused(replace(options, folds=1), "1 folds of 30")
    refused(replace(options, folds=31), "choose 2 to 30")
    refused(replace(options, repeats=0), "0 repeats")
    refused(replace(options, predictions=str(tmp_path / "x.docx")), "docx")
    refused(replace(options, predictions=str(tmp_path / "no" / "x.csv")), "no folder")
    test = replace(options.train, test=options.train.data.paths)
    refused(replace(options, train=test), "test rows have no part")
    wrong = replace(options.train, settings={"classifier": {"peek": 1}})
    refused(replace(options, train=wrong), "peek")


def test_another_request_is_not_mixed_in(options: CrossValidationOptions) -> None:
    finish(cross_validate(options))
    with pytest.raises(InputError, match="folds was 2, now 3"):
        next(cross_validate(replace(options, folds=3)))
    other = replace(options, train=replace(options.train, time_budget=5.0))
    finish(cross_validate(other))  # a budget is of the call, not of the work
    data = Path(options.train.data.paths[0])
    data.write_text(data.read_text().replace(",bad", ",awful"))
    with pytest.raises(InputError, match="not what it was"):
        next(cross_validate(options))
