"""Every kind of target from the user's file to the file of predictions."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.data.sources import read_rows
from ulmfit.errors import InputError
from ulmfit.pipeline import Note, resume, train
from ulmfit.pipeline.drawing import Draw, draw_labels
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.use import evaluate, predict_file
from ulmfit.run import Plan

from .conftest import MACHINE, finish

Write = Callable[[Sequence[Any]], Path]
SETS = [["good"], ["bad", "long"], [], ["good", "long"], ["bad"]]


@pytest.fixture
def jsonl(texts: list[str], tmp_path: Path) -> Write:
    """Forty texts with these labels, in turn."""

    def write(labels: Sequence[Any], name: str = "data.jsonl") -> Path:
        rows = ({"text": t, "label": labels[i % len(labels)]} for i, t in enumerate(texts))
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def table(texts: list[str], tmp_path: Path) -> Callable[..., Path]:
    """A CSV of forty texts with these columns, each in turn."""

    def write(**columns: Sequence[Any]) -> Path:
        path = tmp_path / "data.csv"
        with open(path, "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["text", *columns])
            for i, text in enumerate(texts):
                rows.writerow([text, *(values[i % len(values)] for values in columns.values())])
        return path

    return write


def test_a_column_of_labels_that_no_row_has_is_refused(table: Callable[..., Path]) -> None:
    """Else the model would not know the label, and `evaluate` would stop at the first row of it."""
    for late, rows in (([0], "0 rows"), ([1] + [0] * 39, "1 row")):
        source = Source((str(table(rude=[0, 1], late=late)),), label=("rude", "late"))
        with pytest.raises(InputError, match=f"label 'late' has {rows}; each needs two"):
            draw_labels(source, None, 0)
    source = Source((str(table(rude=[0, 1], late=[0, 0, 1])),), label=("rude", "late"))
    assert draw_labels(source, None, 0).names == ["late", "rude"]


def options_for(data: Path, lm: Path, **asked: Any) -> TrainOptions:
    source = Source((str(data),), **{k: asked.pop(k) for k in list(asked) if k in OF_SOURCE})
    out = str(data.with_name("model"))
    return TrainOptions(
        source, out, MACHINE, str(lm), direction="forward", finetune=False, epochs=1, **asked
    )


OF_SOURCE = ("label", "separator", "sample_weight")


def trained(options: TrainOptions) -> Bundle:
    finish(train(options))
    return bundles.load(options.out)


def predictions(model: Bundle, source: Source, out: Path, **how: Any) -> list[dict[str, Any]]:
    predict_file(model, source, out, MACHINE, **how)
    if out.suffix == ".jsonl":
        return [json.loads(line) for line in out.read_text().splitlines()]
    with open(out, newline="") as file:
        return list(csv.DictReader(file))


def test_lists_of_labels_are_a_multi_label_task(jsonl: Write, lm: Path, tmp_path: Path) -> None:
    options = options_for(jsonl(SETS), lm, test=(str(jsonl(SETS, "test.jsonl")),))
    events, bundle = finish(train(options))
    notes = [e.text for e in events if isinstance(e, Note)]
    assert notes[0] == "40 labelled rows: bad 16, good 16, long 16, (none) 8"
    assert bundle.target.kind == "multi" and bundle.labels == ["bad", "good", "long"]
    assert len(bundle.target.thresholds) == 3 and bundle.target.separator == "|"
    figures = bundle.metrics["test"]
    assert figures["kind"] == "multi" and figures["n"] == 40
    assert {"micro_f1", "macro_f1", "subset_accuracy", "coverage", "calibration"} <= figures.keys()
    assert [label["support"] for label in figures["per_label"]] == [16, 16, 16]
    card = (Path(options.out) / "README.md").read_text()
    assert "multi-label" in card and "micro F1" in card
    back = bundles.load(options.out)
    (row, *_) = predictions(back, options.data, tmp_path / "out.jsonl")
    assert set(row["label_predicted"]) <= {"bad", "good", "long"}
    assert list(row)[-3:] == ["p_bad", "p_good", "p_long"]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_predicted_sets_are_read_back(format: str, jsonl: Write, lm: Path, tmp_path: Path) -> None:
    model = trained(options_for(jsonl(SETS), lm))
    plain = Source((str(jsonl(SETS)),))
    texts = [row.text for row in plain.rows()]
    out = tmp_path / f"out.{format}"
    predict_file(model, plain, out, MACHINE)
    from ulmfit.predict import Predictor

    wanted = [answer.label for answer in Predictor(model).answers(texts)]
    got = read_rows([out], label="label_predicted", separator=model.target.separator)
    assert [row.label for row in got] == wanted


@pytest.mark.parametrize(
    ("columns", "asked"),
    [
        ({"label": ["good;late", "bad", ";", "late"]}, {"task": "multi"}),
        ({"label": ["good/late", "bad", "/", "late"]}, {"task": "multi", "separator": "/"}),
        (
            {"late": [1, 0, 0, 1], "good": [1, 0, 0, 0], "bad": [0, 1, 0, 0]},
            {"label": ("late", "good", "bad")},
        ),
    ],
)
def test_sets_in_a_table(
    columns: dict[str, Any], asked: dict[str, Any], table: Callable[..., Path], lm: Path
) -> None:
    path = table(**columns)
    options = options_for(path, lm, **asked)
    model = trained(options)
    assert model.labels == ["bad", "good", "late"] and model.target.kind == "multi"
    source = Source((str(path),), label=options.data.label)
    figures = evaluate(model, source, MACHINE)  # the separator is the model's own
    assert [label["support"] for label in figures["per_label"]] == [10, 10, 20]


def test_ranks_are_numbers_in_their_order(jsonl: Write, lm: Path, tmp_path: Path) -> None:
    data = jsonl([2, 10, 1])
    options = options_for(data, lm, task="ordinal", test=(str(data),))
    model = trained(options)
    assert model.labels == ["1", "2", "10"]
    assert {"mae", "quadratic_kappa", "accuracy", "confusion"} <= model.metrics["test"].keys()
    (row, *_) = predictions(model, options.data, tmp_path / "out.csv")
    assert row["label_predicted"] in model.labels
    assert sum(float(row[f"p_{name}"]) for name in model.labels) == pytest.approx(1)


def test_ranks_by_name_need_their_order(jsonl: Write, lm: Path) -> None:
    options = options_for(jsonl(["low", "high", "mid"]), lm, task="ordinal")
    with pytest.raises(InputError, match=r"'high', 'low', 'mid' are not all numbers.*--order"):
        next(train(options))
    model = trained(replace(options, order=("low", "mid", "high")))
    assert model.labels == ["low", "mid", "high"]


def test_values_are_told_in_their_units(jsonl: Write, lm: Path, tmp_path: Path) -> None:
    data = jsonl([100.5, -20, 31])
    options = options_for(data, lm, task="real", test=(str(data),))
    events, _ = finish(train(options))
    notes = [e.text for e in events if isinstance(e, Note)]
    assert notes[0] == "40 labelled rows: values from -20 to 100.5, half of them up to 31"
    model = bundles.load(options.out)
    assert model.labels == [] and model.target.scale > 10
    assert {"mae", "rmse", "r2", "spearman"} <= model.metrics["test"].keys()
    assert "coverage" not in model.metrics["test"]
    rows = predictions(model, options.data, tmp_path / "out.csv")
    assert list(rows[0]) == ["text", "label", "value"]
    values = np.array([float(row["value"]) for row in rows])
    truth = np.array([float(row["label"]) for row in rows])
    assert np.abs(values - truth).mean() == pytest.approx(model.metrics["test"]["mae"], rel=1e-4)


def test_weights_of_rows_come_from_a_column(table: Callable[..., Path], lm: Path) -> None:
    path = table(label=["good", "bad"], weight=[1, 0.5, 2.5, 1])
    source = Source((str(path),), sample_weight="weight")
    assert draw_labels(source, None, 0).weights.tolist()[:4] == [1, 0.5, 2.5, 1]  # type: ignore[union-attr]
    drawn = draw_labels(source, 10, 0)
    assert drawn.weights is not None
    assert drawn.weights.tolist() == [[1, 0.5, 2.5, 1][r % 4] for r in drawn.rows]
    weighted = trained(options_for(path, lm, sample_weight="weight"))
    plain = trained(replace(options_for(path, lm), out=str(path.with_name("plain"))))
    assert (
        weighted.metrics["forward"]["history"][0]["train_loss"]
        != plain.metrics["forward"]["history"][0]["train_loss"]
    )


def test_a_row_of_weight_zero_teaches_the_language_model_alone(
    table: Callable[..., Path], lm: Path
) -> None:
    """As the same row without its label."""
    weighed = table(label=["good", "bad", "odd"], weight=[1, 1, 0])
    drawn = draw_labels(Source((str(weighed),), sample_weight="weight"), None, 0)
    assert drawn.names == ["bad", "good"] and not (drawn.rows % 3 == 2).any()
    assert drawn.weights is not None and drawn.weights.all()
    options = replace(options_for(weighed, lm, sample_weight="weight"), finetune=True, lm_epochs=1)
    events, model = finish(train(options))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes[0] == "27 labelled rows (without the 13 of weight 0): bad 13, good 14"
    assert notes[3].startswith("40 texts, ")
    table(label=["good", "bad", ""])
    alone = trained(replace(options, data=Source((str(weighed),)), out=f"{options.out}2"))
    assert model.metrics["validation"] == alone.metrics["validation"]
    assert model.target == alone.target


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([0], "every labelled row has the weight 0 in column 'weight'"),
        ([0, 1], r"one label only \(b\)"),
    ],
)
def test_weights_of_zero_are_refused_before_any_training(
    weights: list[int], told: str, table: Callable[..., Path], lm: Path
) -> None:
    options = options_for(table(label=["a", "b"], weight=weights), lm, sample_weight="weight")
    with pytest.raises(InputError, match=told):
        next(train(options))
    assert not Path(f"{options.out}.run").exists()


def test_a_model_that_abstains_leaves_labels_open(jsonl: Write, lm: Path, tmp_path: Path) -> None:
    data = jsonl(["good", "bad"])
    model = trained(options_for(data, lm, coverage=0.5, test=(str(data),)))
    assert model.target.abstain_below
    told = model.metrics["test"]["abstaining"]
    rows = predictions(model, Source((str(data),)), tmp_path / "out.csv")
    answered = [row for row in rows if row["label_predicted"]]
    assert [row["abstained"] for row in rows] == [str(not row["label_predicted"]) for row in rows]
    assert len(answered) == told["n"] == round(told["coverage"] * 40)
    for row in rows:
        sure = max(float(row["p_bad"]), float(row["p_good"]))
        assert (sure >= model.target.abstain_below) == bool(row["label_predicted"])
    every = predictions(model, Source((str(data),)), tmp_path / "all.csv", abstain_below=0.0)
    assert all(row["label_predicted"] for row in every) and "abstained" not in every[0]
    figures = evaluate(model, Source((str(data),)), MACHINE, abstain_below=1.0)
    assert figures["abstaining"] == {"below": 1.0, "coverage": 0.0, "accuracy": None, "n": 0}


@pytest.mark.parametrize("kind", ["multi", "real"])
def test_few_labels_are_drawn_of_every_kind(kind: Any, jsonl: Write) -> None:
    source = Source((str(jsonl(SETS if kind == "multi" else list(range(40)))),))
    draw = draw_labels(source, 12, 0, kind=kind)
    assert len(draw.rows) == len(draw.labels) == 12
    if kind == "multi":
        assert draw.labels.sum(0).min() >= 3
    else:
        assert sorted(draw.labels)[::3] == pytest.approx([1, 11, 21, 31], abs=4)


def test_a_run_of_another_kind_is_resumed(jsonl: Write, lm: Path) -> None:
    options = options_for(jsonl(SETS), lm, class_weights={"long": 3.0}, loss="focal")
    whole = trained(replace(options, out=str(Path(options.out).with_name("whole"))))
    events = train(options)
    next(event for event in events if isinstance(event, Plan))
    events.close()
    finish(resume(Path(f"{options.out}.run")))
    again = bundles.load(options.out)
    for name, tensor in whole.weights["forward"].items():
        assert (tensor == again.weights["forward"][name]).all(), name
    assert again.provenance["options"]["class_weights"] == {"long": 3.0}
    assert again.target == whole.target


def test_a_resumed_run_finds_changed_weights(table: Callable[..., Path], lm: Path) -> None:
    path = table(label=["good", "bad"], weight=[1, 2])
    options = options_for(path, lm, sample_weight="weight")
    events = train(options)
    next(event for event in events if isinstance(event, Plan))
    events.close()
    path.write_text(path.read_text().replace(",2\n", ",3\n"))
    with pytest.raises(InputError, match=r"data\.csv: not what it was"):
        finish(resume(Path(f"{options.out}.run")))


@pytest.mark.parametrize(
    ("labels", "asked", "told"),
    [
        (
            [["a"], "b"],
            {},
            r"jsonl:1 holds a list of labels, and .*jsonl:2 one label.*--task m",
        ),
        ([["a"], ["b"]], {"task": "single"}, r"jsonl:1 holds a list of labels where one belongs"),
        ([["1"], ["2"]], {"task": "real"}, r"jsonl:1: \['1'\]|jsonl:1: \('1',\)"),
        ([1.5, "x"], {"task": "real"}, r"jsonl:2: 'x' is not a finite number"),
        (["a;b", "c,d"], {"task": "multi"}, r"the labels hold ';' and ','.*--separator"),
        ([1.0], {"task": "real"}, "all 40 rows have the value 1"),
        (["a", "b"], {"class_weights": {"c": 2.0}}, "no label is called 'c'; 'a', 'b'"),
        ([1, 2], {"task": "real", "coverage": 0.9}, "no probabilities to abstain by"),
        (["a", "b"], {"order": ("a", "b")}, "belongs to an ordinal target"),
        ([["a"], ["b"]], {"labels": 3}, "--labels 3: .* 2 labels, .* from 4 to 40"),
        (["a", "b"], {"sample_weight": "w"}, r"no column 'w' \(--sample-weight\)"),
        ([1.5, 2.5, 3.5] + [float(i) / 7 for i in range(37)], {}, "--task real"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(
    labels: list[Any], asked: dict[str, Any], told: str, jsonl: Write, lm: Path
) -> None:
    options = options_for(jsonl(labels), lm, **asked)
    with pytest.raises(InputError, match=told):
        next(train(options))
    assert not Path(options.out).exists() and not Path(f"{options.out}.run").exists()


def test_a_test_set_of_another_form_is_refused(jsonl: Write, lm: Path) -> None:
    for labels, test, told in [
        (SETS, [["good"], ["ugly"]], r"test\.jsonl:2: label 'ugly' is none of the model's"),
        (["good", "bad"], [["good"]], r"test\.jsonl:1: a list of labels"),
        ([1.0, 2.0], ["much"], r"test\.jsonl:1: 'much' is not a finite number"),
    ]:
        asked = {"task": "real"} if labels == [1.0, 2.0] else {}
        data = jsonl(labels)
        options = options_for(data, lm, test=(str(jsonl(test, "test.jsonl")),), **asked)
        with pytest.raises(InputError, match=told):
            next(train(options))


def test_of_many_labels_the_most_frequent_and_the_rarest_are_told() -> None:
    labels = np.repeat(np.arange(21), np.arange(21, 0, -1))
    draw = Draw(np.arange(len(labels)), labels, [f"l{i}" for i in range(21)])
    assert draw.told() == (
        "231 labelled rows of 21 labels: most often l0 21, l1 20, l2 19, l3 18, l4 17, l5 16, "
        "l6 15, l7 14, l8 13, l9 12, most rarely l16 5, l17 4, l18 3, l19 2, l20 1"
    )
    twenty = replace(draw, rows=draw.rows[:-1], labels=labels[:-1], names=draw.names[:-1])
    assert twenty.told().startswith("230 labelled rows: l0 21, l1 20") and "l10 11" in twenty.told()
