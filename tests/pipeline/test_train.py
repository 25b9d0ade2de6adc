"""The whole road: what is refused at its door, what it draws, and how it goes on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.errors import InputError
from ulmfit.pipeline import Note, Texts, resume, train
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.report import write_report
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import Step

from .conftest import MACHINE, finish


@pytest.fixture
def options(data: Path, lm: Path, tmp_path: Path) -> TrainOptions:
    return TrainOptions(
        Source((str(data),)),
        str(tmp_path / "model"),
        MACHINE,
        str(lm),
        direction="forward",
        lm_epochs=1,
        epochs=1,
    )


def refused(options: TrainOptions, match: str) -> None:
    """Before the first event, and with nothing left behind."""
    with pytest.raises(InputError, match=match):
        next(train(options))
    out = Path(options.out)
    assert not out.exists() and not out.with_name(out.name + ".run").exists()


def same(a: Path, b: Path) -> bool:
    return all(
        (a / name).read_bytes() == (b / name).read_bytes()
        for name in ("model.safetensors", "tokenizer.json", "metrics.json", "config.json")
    )


def test_rows_without_a_label_teach_the_language_model_alone(options: TrainOptions) -> None:
    events, bundle = finish(train(options))
    notes = [e.text for e in events if isinstance(e, Note)]
    assert notes[0] == "30 labelled rows: bad 15, good 15"
    assert notes[1].startswith("computing in ")
    assert notes[2] == f"the language model is the folder {options.lm}"
    assert notes[3].startswith("40 texts, ")
    assert bundle.metrics["train_rows"] + bundle.metrics["valid_rows"] == 30


def test_labels_are_drawn_balanced_and_by_seed(data: Path) -> None:
    source = Source((str(data),))
    draw = draw_labels(source, 12, seed=0)
    assert np.bincount(draw.labels).tolist() == [6, 6]
    assert len(set(draw.rows.tolist())) == 12 and draw.rows.max() < 30
    assert draw.rows.tolist() == draw_labels(source, 12, seed=0).rows.tolist()
    assert draw.rows.tolist() != draw_labels(source, 12, seed=1).rows.tolist()


def test_a_rare_label_gives_all_it_has(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "a film,usual\n" * 20 + "a plot,rare\n" * 3)
    draw = draw_labels(Source((str(path),)), 10, seed=0)
    assert dict(zip(draw.names, np.bincount(draw.labels), strict=True)) == {"rare": 3, "usual": 7}


def test_a_test_set_with_another_label_is_refused_before_training(
    options: TrainOptions, tmp_path: Path
) -> None:
    test = tmp_path / "test.csv"
    test.write_text("text,label\na good film,good\na film,splendid\n")
    refused(replace(options, test=(str(test),)), r"test\.csv:3: label 'splendid'")


def test_a_test_set_may_lack_a_label(options: TrainOptions, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("text,label\na good film,good\na great film,good\n")
    _, bundle = finish(train(replace(options, test=(str(test),), finetune=False, lm_epochs=None)))
    assert bundle.metrics["test"]["n"] == 2


@pytest.mark.parametrize("then", ["text,label\na film,splendid\n", "", None])
def test_a_model_is_whole_though_its_test_rows_went_bad_meanwhile(
    then: str | None, options: TrainOptions, tmp_path: Path
) -> None:
    """A label that the model lacks, nothing, and no file at all."""
    test = tmp_path / "test.csv"
    test.write_text("text,label\na good film,good\na great film,good\n")
    events = train(replace(options, test=(str(test),), finetune=False, lm_epochs=None))
    next(event for event in events if isinstance(event, Step))
    if then is None:
        test.unlink()
    else:
        test.write_text(then)
    told, bundle = finish(events)
    note = told[-1].text
    assert "test.csv" in note and f"`ulmfit evaluate {options.out} FILE`" in note
    assert "test" not in bundle.metrics and not Path(f"{options.out}.run").exists()
    assert "test" not in bundles.load(options.out).metrics
    finish(write_report(options.out, machine=MACHINE))
    assert "test.csv" in (Path(options.out) / "report.html").read_text()


def test_a_device_that_is_not_there_is_refused_before_training(options: TrainOptions) -> None:
    refused(replace(options, machine=replace(MACHINE, device="tpu9")), "'tpu9'")


def test_unlabelled_texts_without_fine_tuning_are_refused(options: TrainOptions) -> None:
    refused(replace(options, unlabelled=options.data.paths, finetune=False), "--no-finetune")


def test_unlabelled_files_have_columns_of_their_own(
    options: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    renamed, plain, doubtful = (tmp_path / n for n in ("r.csv", "plain.txt", "doubt.csv"))
    renamed.write_text(
        "body,label\n" + "".join(f"{t},{'ab'[i % 2]}\n" for i, t in enumerate(texts))
    )
    plain.write_text("one more film\n\nand another plot\n")
    doubtful.write_text("body,class,topic\nthe story,x,y\n")  # two columns could be the label
    chosen = replace(
        options,
        data=Source((str(renamed),), text=("body",)),
        unlabelled=(str(plain), str(doubtful)),
    )
    events, _ = finish(train(chosen))
    assert any(isinstance(e, Note) and e.text.startswith("43 texts, ") for e in events)


def test_an_unlabelled_file_with_no_such_column_is_named(
    options: TrainOptions, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("stars\n5\n")
    refused(replace(options, unlabelled=(str(other),)), r"other\.csv: no column is named 'text'")


INTERRUPTS = {
    "while counting": lambda e: isinstance(e, Texts | Note),
    "before the language model": lambda e: isinstance(e, Plan) and "language" in e.stage,
    "in the language model": lambda e: isinstance(e, Step),
    "after its epoch": lambda e: isinstance(e, Validated),
    "before the classifier": lambda e: isinstance(e, Plan) and "classifier" in e.stage,
    "in its last phase": lambda e: isinstance(e, Step) and e.phase == "all" and len(e.rates) == 4,
}


@pytest.fixture
def whole(options: TrainOptions, tmp_path: Path) -> Path:
    """The model that a run makes which nobody disturbs."""
    finish(train(replace(options, out=str(tmp_path / "whole"))))
    return tmp_path / "whole"


def test_a_run_goes_on_from_wherever_it_was_interrupted(
    options: TrainOptions, whole: Path, tmp_path: Path
) -> None:
    for name, is_there in INTERRUPTS.items():
        out = tmp_path / name.replace(" ", "-")
        events = train(replace(options, out=str(out)))
        assert any(is_there(event) for event in events), name  # stops at the first such event
        with pytest.raises(KeyboardInterrupt):
            events.throw(KeyboardInterrupt())
        assert not out.exists()
        _, bundle = finish(resume(Path(f"{out}.run")))
        assert same(out, whole), name
        assert not Path(f"{out}.run").exists()
        assert torch.equal(
            bundle.weights["forward"]["head.linear2.bias"],
            bundles.load(whole).weights["forward"]["head.linear2.bias"],
        )


def interrupted(options: TrainOptions) -> Path:
    events = train(options)
    next(event for event in events if isinstance(event, Step))
    events.close()
    return Path(f"{options.out}.run")


def test_a_run_goes_on_from_another_folder(
    options: TrainOptions, data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = interrupted(replace(options, data=Source((data.name,)), out="model"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    finish(resume(tmp_path / run))
    assert same(tmp_path / "model", whole)
    assert not list(elsewhere.iterdir())


def test_a_run_whose_labels_have_changed_is_refused(options: TrainOptions, data: Path) -> None:
    run = interrupted(options)
    data.write_text(data.read_text().replace(",bad\n", ",poor\n"))
    with pytest.raises(InputError, match=r"reviews\.csv: not what it was"):
        finish(resume(run))
    assert run.exists()


EDITS: dict[str, Callable[[list[str]], list[str]]] = {
    "sorted": lambda rows: [rows[0], *sorted(rows[1:])],
    "a row inserted": lambda rows: [rows[0], "one more film,good", *rows[1:]],
    "one text corrected": lambda rows: [*rows[:7], f"Really {rows[7]}", *rows[8:]],
    "cut short": lambda rows: rows[:20],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_labels_are_never_given_to_other_texts_than_they_were_read_with(
    edit: Callable[[list[str]], list[str]], options: TrainOptions, data: Path
) -> None:
    """The user saves the file while the language model is fine-tuned."""
    events = train(options)
    next(event for event in events if isinstance(event, Step))
    data.write_text("\n".join(edit(data.read_text().splitlines())) + "\n")
    with pytest.raises(InputError, match=r"reviews\.csv.*changed while it was being learned from"):
        finish(events)
    assert not Path(options.out).exists()


def test_a_run_goes_on_when_its_file_is_as_it_was_again(
    options: TrainOptions, data: Path, whole: Path
) -> None:
    before = data.read_bytes()
    events = train(options)
    next(event for event in events if isinstance(event, Step))
    data.write_bytes(before.replace(b"\n", b"\none more film,good\n", 1))
    with pytest.raises(InputError, match=r"reviews\.csv:2: changed"):
        finish(events)
    data.write_bytes(before)
    finish(resume(Path(f"{options.out}.run")))
    assert same(Path(options.out), whole)


def test_a_time_budget_cuts_and_never_adds(options: TrainOptions) -> None:
    events, _ = finish(train(replace(options, time_budget=1000.0)))
    plans = [e for e in events if isinstance(e, Plan)]
    assert [sum(p["epochs"] for p in plan.phases) for plan in plans] == [1, 4]  # 3 stages and 1
    alone = replace(options, epochs=50, finetune=False, lm_epochs=None, time_budget=1e-6)
    events, _ = finish(train(alone, overwrite=True))
    plan = next(e for e in events if isinstance(e, Plan))
    assert plan.phases[-1]["epochs"] == 1


def test_epochs_of_a_language_model_that_is_not_fine_tuned_are_refused(
    options: TrainOptions,
) -> None:
    refused(replace(options, lm_epochs=2, finetune=False), "--lm-epochs")


@pytest.mark.parametrize(
    ("more", "told"),
    [({}, "of the language model"), ({"min_count": 1}, "of the language model and min_count")],
)
def test_settings_that_are_not_used_are_told(
    options: TrainOptions, more: dict[str, Any], told: str
) -> None:
    settings = {"language_model": {"peak": 0.001}, **more}
    events, _ = finish(train(replace(options, settings=settings, finetune=False, lm_epochs=None)))
    assert any(f"settings {told} are not used" in str(event) for event in events)


def test_ratios_that_do_not_fit_the_language_model_are_refused(options: TrainOptions) -> None:
    settings = {"language_model": {"ratios": [0.1] * 7}}
    refused(replace(options, settings=settings), r"ratios holds 7 values, .* has \d layer groups")
