"""A real, tiny training: the report finds its rows again, and tells what it cannot find."""

import csv
import json
import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.pipeline.runs import Note, Texts
from ulmfit.report import Findings, examine, write_report
from ulmfit.report.beside import beside
from ulmfit.report.parts import key
from ulmfit.text import Encoder

MACHINE = Machine("cpu", "fp32", workers=1)
Result = TypeVar("Result")


def finish(events: Generator[Any, None, Result]) -> Result:
    while True:
        try:
            next(events)
        except StopIteration as end:
            result: Result = end.value
            return result


@pytest.fixture(scope="module")
def home(encoder: Encoder, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a language model and data: the texts, bad and good; twins in test.csv."""
    folder = tmp_path_factory.mktemp("home")
    sizes = Architecture(len(encoder.vocab), 12, 12, 2)
    torch.manual_seed(0)
    weights = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    bundle = Bundle("language-model", sizes, encoder, {"forward": weights})
    bundles.save(bundle, folder / "lm", "")
    for name, rows in (("train.csv", texts[:32]), ("test.csv", texts[26:])):
        with open(folder / name, "w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["text", "label"])
            lines.writerows((text, ("bad", "good")[texts.index(text) % 2]) for text in rows)
    return folder


@pytest.fixture(scope="module")
def options(home: Path) -> TrainOptions:
    return TrainOptions(
        Source((str(home / "train.csv"),)),
        str(home / "model"),
        MACHINE,
        str(home / "lm"),
        test=(str(home / "test.csv"),),
        labels=30,
        finetune=False,
        epochs=1,
    )


@pytest.fixture(scope="module")
def model(options: TrainOptions) -> Path:
    """Trained once, with a test set."""
    finish(train(options))
    return Path(options.out)


@pytest.fixture
def copy(model: Path, home: Path, tmp_path: Path) -> Path:
    """The model with data of its own, which a test may spoil."""
    for name in ("train.csv", "test.csv"):
        shutil.copy(home / name, tmp_path)
    shutil.copytree(model, tmp_path / "model")
    record = tmp_path / "model" / "training.jsonl"
    record.write_text(record.read_text().replace(str(home), str(tmp_path)))
    return tmp_path / "model"


def look(model: Path, data: Source | None = None, rows: int = 2000) -> Findings:
    return finish(examine(model, data, MACHINE, rows))


def test_the_rows_are_those_of_the_training(model: Path, options: TrainOptions) -> None:
    """The validation accuracy comes out again only if the very same rows were held out."""
    found = look(model)
    metrics = found.bundle.metrics
    assert found.train is not None and found.valid is not None
    assert (len(found.train), len(found.valid)) == (metrics["train_rows"], metrics["valid_rows"])
    assert not set(found.train.keys) & set(found.valid.keys)
    alone = replace(options, test=(), out=options.out + "-untested")
    finish(train(alone))
    again = look(Path(alone.out))
    assert again.measured is not None and again.figures_of == "validation"
    kept = again.bundle.metrics["validation"]
    assert again.measured.figures["accuracy"] == kept["accuracy"]
    assert again.measured.figures["log_loss"] == pytest.approx(kept["loss"], abs=1e-5)


def test_rows_without_a_weight_move_no_others(options: TrainOptions, tmp_path: Path) -> None:
    """Left out in training, they must not count as rows here: rows are known by their number."""
    with open(options.data.paths[0], newline="") as file:
        rows = list(csv.reader(file))[1:]
    data = tmp_path / "weighed.csv"
    with data.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["text", "label", "votes"])
        lines.writerows([*row, "" if i in (0, 7) else 1] for i, row in enumerate(rows))
    source = Source((str(data),), sample_weight="votes", skip_bad_rows=True)
    asked = replace(options, data=source, out=str(tmp_path / "model"), test=(), labels=None)
    finish(train(asked))
    found = look(Path(asked.out))
    assert found.measured is not None and found.figures_of == "validation"
    kept = found.bundle.metrics["validation"]
    assert found.measured.figures["log_loss"] == pytest.approx(kept["loss"], abs=1e-5)


def test_the_test_rows_are_measured_as_training_measured_them(model: Path) -> None:
    found = look(model)
    assert found.figures is not None and found.figures_of == "test" and found.lacks == []
    kept = found.bundle.metrics["test"]
    assert found.figures["confusion"] == kept["confusion"]
    assert found.figures["n"] == kept["n"] == 14
    assert found.baseline is not None and len(found.baseline.labels) == 14
    assert found.baseline_learned == 30


def test_twins_of_training_and_test_are_told(model: Path, tmp_path: Path) -> None:
    finish(write_report(model, out=tmp_path / "r.html", machine=MACHINE))
    page = (tmp_path / "r.html").read_text()
    assert "of the test rows" in page and "stand in the training data too" in page


def test_a_report_replaces_nothing_but_a_page(model: Path) -> None:
    weights = (model / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"name it \.html"):
        next(write_report(model, out=model / "model.safetensors", machine=MACHINE))
    assert (model / "model.safetensors").read_bytes() == weights


def test_mistakes_are_wrong_answers_with_words_of_their_text(model: Path) -> None:
    found = look(model)
    assert found.measured is not None
    wrong = int((~found.measured.right).sum())
    assert len(found.mistakes) == min(8, wrong)
    chances = [m.told_probability for m in found.mistakes]
    assert chances == sorted(chances, reverse=True)
    for mistake in found.mistakes:
        assert mistake.told != mistake.true
        assert [mistake.text[w.start : w.end] for w in mistake.words] == mistake.text.split()
        assert Path(mistake.place.rpartition(":")[0]).name == "test.csv"


def test_a_report_does_not_replace_the_rows_that_it_reads(copy: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    shutil.copy(tmp_path / "test.csv", mine)
    for data in (Source((str(mine),)), None):
        for name in ("train.csv", "test.csv", *["mine.csv"] * (data is not None)):
            before = (tmp_path / name).read_bytes()
            with pytest.raises(InputError, match="is the input; choose another file"):
                next(write_report(copy, data, tmp_path / name, machine=MACHINE))
            assert (tmp_path / name).read_bytes() == before


def test_other_data_may_be_measured(model: Path, home: Path, tmp_path: Path) -> None:
    source = Source((str(home / "train.csv"),))  # two of its rows were not drawn to learn from
    found = look(model, source)
    assert found.figures_of == "train.csv" and found.figures is not None
    assert found.figures["n"] == 32 and found.baseline is not None
    assert found.seen == 30 and not found.lacks
    assert found.doubts is not None
    assert all(doubt.part != "train.csv" for doubt in found.doubts[2:])
    report = finish(write_report(model, source, tmp_path / "r.html", machine=MACHINE))
    assert "30 of 32 measured rows stand in the training data too" in report.path.read_text()


def test_rows_that_were_all_learned_from_say_nothing_of_new_texts(
    model: Path, home: Path, tmp_path: Path
) -> None:
    learned = look(model)
    assert learned.train is not None and learned.valid is not None
    known = {*learned.train.keys, *learned.valid.keys}
    with open(home / "train.csv", newline="") as file, open(tmp_path / "known.csv", "w") as out:
        rows = list(csv.reader(file))
        csv.writer(out).writerows(row for row in rows if row is rows[0] or key(row[0]) in known)
    found = look(model, Source((str(tmp_path / "known.csv"),)))
    assert found.measured is not None and found.seen == len(found.measured.labels) == 30
    assert found.baseline is None and found.beside is None and found.doubts is None
    assert [lack.partition(":")[0] for lack in found.lacks] == [
        "Every row that was measured stands in the training data"
    ]


def test_only_some_rows_are_answered_where_there_are_many(model: Path) -> None:
    found = look(model, rows=5)
    assert found.measured is not None and found.figures is not None
    assert len(found.measured.labels) == 5 and len(found.measured.part) == 14
    assert found.figures["n"] == 14  # as the training measured them


def test_training_data_that_is_gone(copy: Path) -> None:
    (copy.parent / "train.csv").unlink()
    found = look(copy)
    assert found.train is None and found.baseline is None and found.doubts is None
    [told] = found.lacks
    assert "train.csv is not there any more" in told and "Put it back" in told
    assert found.measured is not None and found.figures_of == "test"


def test_training_data_that_was_changed(copy: Path) -> None:
    path = copy.parent / "train.csv"
    path.write_text(path.read_text().replace(",bad", ",good", 1))
    found = look(copy)
    assert found.train is None
    assert "is not what it was when the model was made" in found.lacks[0]


def test_test_data_that_is_gone_leaves_its_figures(copy: Path) -> None:
    (copy.parent / "test.csv").unlink()
    found = look(copy)
    assert found.measured is not None and found.measured.part.name == "validation"
    assert found.figures == found.bundle.metrics["test"] and found.figures_of == "test"
    assert "test.csv is not there any more" in found.lacks[0]


def test_all_data_gone_and_no_record(copy: Path) -> None:
    (copy / "training.jsonl").unlink()
    found = look(copy)
    assert found.record is None and found.measured is None
    assert found.figures == found.bundle.metrics["test"]
    assert "training.jsonl" in found.lacks[0]
    assert [stage.name for stage in found.stages] == ["classifier"]
    report = finish(write_report(copy, machine=MACHINE))
    assert report.path == copy / "report.html" and report.lacks == found.lacks
    assert "What this page cannot tell" in report.path.read_text()


def test_options_of_another_version_are_no_obstacle(copy: Path) -> None:
    record = copy / "training.jsonl"
    first, *rest = record.read_text().splitlines()
    told = json.loads(first)
    told["options"]["wings"] = 2
    record.write_text("\n".join([json.dumps(told), *rest]) + "\n")
    found = look(copy)
    assert found.train is None and "wings" in found.lacks[0]


def test_a_language_model_has_a_report(home: Path) -> None:
    found = look(home / "lm")
    assert found.measured is None and found.figures is None
    with pytest.raises(InputError, match="a classifier is needed"):
        look(home / "lm", Source((str(home / "test.csv"),)))


def test_data_without_labels_or_with_others_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("text,label\na film,splendid\n")
    with pytest.raises(InputError, match=r"new\.csv:2: label 'splendid'"):
        look(model, Source((str(path),)))
    path.write_text("text\na film\n")
    with pytest.raises(InputError, match="label"):
        look(model, Source((str(path),)))


def test_progress_is_told(model: Path) -> None:
    events = list(examine(model, None, MACHINE))
    assert {type(event) for event in events} == {Texts, Note}
    assert any(isinstance(e, Texts) and "explaining" in e.what for e in events)


TASKS: dict[str, dict[str, Any]] = {
    "multi": {"task": "multi"},
    "ordinal": {"task": "ordinal", "order": ("low", "high")},
    "real": {"task": "real"},
}


@pytest.mark.parametrize("task", TASKS)
def test_every_kind_of_task(
    task: str, texts: list[str], home: Path, tmp_path: Path, options: TrainOptions
) -> None:
    labels = {
        "multi": [["a"], ["b"], ["a", "b"], []],
        "ordinal": ["low", "high"] * 2,
        "real": [0.5, 3.5, 1.0, 4.0],
    }[task]
    for name, rows in (("train.jsonl", texts[:32]), ("test.jsonl", texts[32:])):
        lines = [json.dumps({"text": t, "label": labels[i % 4]}) for i, t in enumerate(rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    chosen = replace(
        options,
        data=Source((str(tmp_path / "train.jsonl"),)),
        test=(str(tmp_path / "test.jsonl"),),
        out=str(tmp_path / "model"),
        labels=None,
        **TASKS[task],
    )
    bundle = finish(train(chosen))
    found = look(tmp_path / "model")
    lacks = ["Wrong labels are looked for where a text has one label, not here."]
    assert found.lacks == (lacks if task == "multi" else [])
    assert found.train is not None and found.valid is not None
    assert len(found.train) == bundle.metrics["train_rows"]
    assert found.measured is not None and found.measured.kind == task
    assert found.baseline is not None and found.beside == beside(found.measured, found.baseline)
    mine, kept = found.measured.figures, bundle.metrics["test"]
    for name in ("mae", "micro_f1", "accuracy"):
        if name in kept:
            assert mine[name] == pytest.approx(kept[name], abs=1e-6)
    report = finish(write_report(tmp_path / "model", machine=MACHINE))
    assert report.bytes > 20_000
