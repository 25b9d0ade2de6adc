"""training.jsonl: every run leaves one, every step is told once, and the command comes back."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from ulmfit import bundle as bundles
from ulmfit.cli import main
from ulmfit.pipeline import finetune, pretrain, resume, train
from ulmfit.pipeline.command_line import command_line
from ulmfit.pipeline.inputs import described
from ulmfit.pipeline.options import (
    FinetuneOptions,
    Machine,
    Options,
    PretrainOptions,
    Source,
    TrainOptions,
)
from ulmfit.pipeline.record import keep
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import EpochEnd, Step

from .conftest import MACHINE, finish


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def record(model: Path) -> list[dict[str, Any]]:
    lines = (model / "training.jsonl").read_text("ascii").splitlines()
    return [json.loads(line, parse_constant=refuse_constant) for line in lines]


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [r["record"] for r in records]


@pytest.fixture
def options(data: Path, lm: Path, tmp_path: Path) -> TrainOptions:
    source = Source((str(data),))
    return TrainOptions(source, str(tmp_path / "model"), MACHINE, str(lm), lm_epochs=1, epochs=1)


def test_every_record_of_every_stage_and_direction_is_kept(options: TrainOptions) -> None:
    events, bundle = finish(train(options))
    told = record(Path(options.out))
    wanted = [e for e in events if isinstance(e, Plan | Step | EpochEnd | Validated)]
    assert kinds(told) == ["Run", *[type(e).__name__ for e in wanted], "Finished"]
    for mine, event in zip(told[1:-1], wanted, strict=True):
        if isinstance(event, Step):
            assert mine["loss"] == pytest.approx(event.loss, rel=1e-6)
            assert mine["rates"] == pytest.approx(event.rates, rel=1e-6)
            assert (mine["epoch"], mine["step"]) == (event.epoch, event.step)
        if isinstance(event, Plan):
            assert f"{mine['direction']}" in event.stage and mine["steps"] == event.steps
    places = list(dict.fromkeys((r["stage"], r["direction"]) for r in told[1:-1]))
    directions = ("forward", "backward")
    assert places == [(s, d) for s in ("finetune", "classifier") for d in directions]
    assert told[-1]["figures"]["validation"]["accuracy"] == bundle.metrics["validation"]["accuracy"]
    assert "history" not in json.dumps(told[-1])


def untimed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in r.items() if k != "seconds"} for r in records[1:-1]]


def test_an_interrupted_run_tells_every_step_once(options: TrainOptions, tmp_path: Path) -> None:
    whole = replace(options, out=str(tmp_path / "whole"))
    finish(train(whole))
    events = train(options)
    for event in events:
        if isinstance(event, Step) and event.phase == "last 1":
            break
    events.close()
    finish(resume(Path(options.out + ".run")))
    mine, theirs = record(Path(options.out)), record(Path(whole.out))
    assert untimed(mine) == untimed(theirs)
    assert len(mine[0]["sessions"]) == 2 and len(theirs[0]["sessions"]) == 1
    assert {(s["precision"], *s["fp32_layers"]) for s in mine[0]["sessions"]} == {("fp32",)}


def test_pretraining_and_finetuning_leave_a_record_too(
    options: TrainOptions, lm: Path, tmp_path: Path
) -> None:
    out, source = str(tmp_path / "made"), options.data
    tiny = PretrainOptions(source, out, MACHINE, "both", 8, 8, 1, min_count=1, epochs=1)
    finish(pretrain(tiny))
    told = record(Path(out))
    assert {r["stage"] for r in told[1:-1]} == {"pretrain"}
    assert {r["direction"] for r in told[1:-1]} == {"forward", "backward"}
    again = FinetuneOptions(str(lm), source, out, MACHINE, direction="backward", epochs=1)
    finish(finetune(again, overwrite=True))
    told = record(Path(out))
    assert {(r["stage"], r["direction"]) for r in told[1:-1]} == {("finetune", "backward")}


def test_the_first_line_says_what_was_given(options: TrainOptions, data: Path, lm: Path) -> None:
    plain = replace(options, finetune=False, lm_epochs=None, direction="forward")
    finish(train(replace(plain, test=(str(data),))))
    first = record(Path(options.out))[0]
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    given = {i["role"]: i for i in first["inputs"]}
    assert given["data"]["sha256"] == given["test"]["sha256"] == digest
    assert given["data"]["bytes"] == data.stat().st_size
    assert given["lm"]["sha256"] == hashlib.sha256((lm / "config.json").read_bytes()).hexdigest()
    assert first["options"]["data"]["paths"] == [str(data)]
    assert {"python", "torch", "ulmfit"} <= first["sessions"][0]["versions"].keys()
    assert first["command"] == "train" and first["format"] == 1


def test_a_model_is_whole_whatever_its_record_says(options: TrainOptions) -> None:
    plain = replace(options, finetune=False, lm_epochs=None, direction="forward")
    finish(train(plain))
    (Path(options.out) / "training.jsonl").write_text("not what it was")
    assert bundles.load(options.out).kind == "classifier"


def test_a_folder_is_hashed_as_sha256sum_lists_it(tmp_path: Path) -> None:
    for name, content in (("b.txt", b"two"), ("a/c.txt", b"one")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    one, two = (hashlib.sha256(c).hexdigest() for c in (b"one", b"two"))
    wanted = hashlib.sha256(f"{one}  a/c.txt\n{two}  b.txt\n".encode()).hexdigest()
    found = described("data", tmp_path)
    assert (found["sha256"], found["files"], found["bytes"]) == (wanted, 2, 6)


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    run, out = tmp_path / "m.run", tmp_path / "m"
    (run / "forward").mkdir(parents=True)
    out.mkdir()
    (run / "run.json").write_text('{"command": "pretrain"}')
    step = {"record": "Step", "loss": math.nan, "rates": [math.inf, 0.123456789]}
    (run / "forward" / "records.jsonl").write_text(json.dumps(step) + "\n")
    (out / "metrics.json").write_text(json.dumps({"validation": {"loss": math.inf}}))
    keep(run, out)
    _, mine, last = record(out)
    assert mine["loss"] is None and mine["rates"] == [None, 0.1234568]
    assert last["figures"] == {"validation": {"loss": None}}


def test_a_line_that_a_power_cut_tore_does_not_keep_a_run_from_its_end(tmp_path: Path) -> None:
    run, out = tmp_path / "m.run", tmp_path / "m"
    (run / "forward").mkdir(parents=True)
    out.mkdir()
    (run / "run.json").write_text('{"command": "pretrain"}')
    torn = ['{"record": "Step", "step": 1}', '{"record": "St{"record": "Step", "step": 3}', "\0{}"]
    lines = [*torn, '{"record": "Step", "step": 4}']
    (run / "forward" / "records.jsonl").write_text("\n".join(lines) + "\n")
    (out / "metrics.json").write_text("{}")
    keep(run, out)
    assert [each["step"] for each in record(out)[1:-1]] == [1, 4]


CALLS: list[tuple[str, Options]] = [
    ("train", TrainOptions(Source(("a.csv", "-b.csv")), "m")),
    (
        "train",
        TrainOptions(
            Source(("it's.csv",), ("a b", "-c"), "$(label)", "csv", True),
            "m",
            Machine("cpu", "fp32", 3, 7),
            *("lm", ("x", "y"), ("t.csv",), "v2", "both", 20, False, 2, 3),
            time_budget=1.5,
        ),
    ),
    ("finetune", FinetuneOptions("en-mini", Source(("a.csv",), label=""), "m")),
    (
        "finetune",
        FinetuneOptions(
            *("lm", Source(("a.csv",), ("t",), "", "jsonl", True), "m", Machine(seed=2)),
            *("v1", "backward", 4),
            settings={"language_model": {"bptt": 60}},
            time_budget=2.5,
        ),
    ),
    ("pretrain", PretrainOptions(Source(("a.txt",), label=""), "m")),
    (
        "pretrain",
        PretrainOptions(
            *(Source(("a.txt", "b"), label=""), "m", Machine(workers=1), "both", 8, 9, 2),
            *("subword", "paper", 100, 1, 2, 3_000, 4, 0.25),
            time_budget=2.0,
            storage="int8",
        ),
    ),
    (
        "train",
        TrainOptions(
            Source(("a.csv",), label=("rude", "late"), separator="|", sample_weight="w"),
            "m",
            task="ordinal",
            order=("low", "a,b", "-"),
            class_weights={"a=b, c": 2.0, "d": 0.5},
            loss="focal",
            focal_gamma=1.5,
            label_smoothing=0.1,
            calibrate=False,
            abstain_below=0.25,
            coverage=0.9,
        ),
    ),
    ("train", TrainOptions(Source(("a.csv",)), "m", class_weights="balanced")),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Options]]:
    """The options that a command called the pipeline with; nothing is run."""
    got: list[Options] = []

    def note(options: Options, overwrite: bool, report_rows: int = 0) -> None:
        got.append(options)

    for name in ("train", "finetune", "pretrain"):
        monkeypatch.setattr(f"ulmfit.pipeline.{name}", note)
    for module in ("training", "language_models"):
        monkeypatch.setattr(f"ulmfit.cli.{module}.make_model", lambda *_, **__: None)
    yield got


@pytest.mark.parametrize(("command", "options"), CALLS)
def test_the_command_line_asks_for_the_same_options(
    command: str, options: Options, asked: list[Options]
) -> None:
    program, *words = command_line(command, options)
    with pytest.raises(SystemExit):
        main(words)
    [got] = asked
    for field in fields(options):
        mine, theirs = getattr(options, field.name), getattr(got, field.name)
        if isinstance(mine, Source):
            mine = replace(mine, paths=tuple(p.replace("-b", "./-b") for p in mine.paths))
        assert mine == theirs, field.name
    assert program == "ulmfit"


def test_defaults_are_left_out_of_the_command_line() -> None:
    assert command_line(*CALLS[2]) == ["ulmfit", "finetune", "en-mini", "a.csv", "--out", "m"]
