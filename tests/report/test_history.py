"""What training.jsonl tells is what the report knows, and a broken one is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.report.history import read_record, stages_of_metrics

from .conftest import Make

RUN = {"record": "Run", "format": 1, "command": "train"}
END = {"record": "Finished", "at": "2026-11-21T09:00:00+00:00", "figures": {}}
PLACE = {"stage": "classifier", "direction": "forward"}


def step(phase: str, epoch: int, loss: float | None, rates: list[float]) -> dict[str, Any]:
    told = {"phase": phase, "epoch": epoch, "step": 1, "total": 2, "loss": loss, "rates": rates}
    return {"record": "Step", **told, "tokens": 10, "seconds": 0.5, **PLACE}


def epoch(phase: str, number: int, loss: float, held_out: float | None) -> list[dict[str, Any]]:
    figures = {"loss": held_out, "accuracy": 0.5}
    best = held_out is not None
    return [
        {"record": "EpochEnd", "phase": phase, "epoch": number, "loss": loss, **PLACE},
        {"record": "Validated", "epoch": number, "figures": figures, "best": best, **PLACE},
    ]


RECORDS = [
    RUN,
    {"record": "Plan", "phases": [], "steps": 3, "tokens": 30, "seconds": 1.0, **PLACE},
    step("last 1", 0, 2.0, [0.0, 0.0, 0.1]),
    step("last 1", 0, 1.0, [0.0, 0.0, 0.2]),
    *epoch("last 1", 0, 1.5, 1.2),
    step("all", 1, None, [0.1, 0.2, 0.3]),
    *epoch("all", 1, 1.0, 0.8),
    *epoch("all", 2, 0.5, None),
    END,
]


def write(folder: Path, records: list[dict[str, Any]]) -> Path:
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "training.jsonl").write_text(lines)
    return folder


def test_steps_epochs_and_phases_are_read(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, RECORDS))
    assert record is not None and record.finished == END["at"]
    [stage] = record.stages
    assert (stage.name, stage.direction) == ("classifier", "forward")
    assert stage.groups == ["embedding", "LSTM 1", "head"]
    assert stage.at == [0.5, 1.0, 2.0]
    assert stage.rates[0] == [0.0, 0.0, 0.1] and stage.losses[:2] == [2.0, 1.0]
    assert str(stage.losses[2]) == "nan"
    assert (stage.tokens, stage.seconds) == (30, 1.5)
    assert [(p.name, p.begin, p.epochs) for p in stage.phases] == [("last 1", 0, 1), ("all", 1, 2)]
    assert [(e.number, e.train_loss) for e in stage.epochs] == [(1, 1.5), (2, 1.0), (3, 0.5)]
    assert stage.best is not None and stage.best.number == 2


def test_no_record_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None


BROKEN = {
    "cut": RECORDS[:-1],
    "no beginning": RECORDS[1:],
    "a step without a loss": [
        RUN,
        {k: v for k, v in step("all", 0, 1.0, [0.1]).items() if k != "loss"},
        END,
    ],
    "a rate that is a word": [RUN, step("all", 0, 1.0, ["fast"]), END],  # type: ignore[list-item]
}


@pytest.mark.parametrize("records", BROKEN.values(), ids=BROKEN)
def test_a_broken_record_is_refused_by_name(records: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.jsonl: not a record that ulmfit wrote"):
        read_record(write(tmp_path, records))


@pytest.mark.parametrize("content", ["", "[1]\n[2]\n", "{", "null\n", "\ufeff{}\n"])
def test_what_is_no_record_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "training.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"training\.jsonl"):
        read_record(tmp_path)


def test_a_model_without_a_record_has_its_epochs(make: Make) -> None:
    bundle: Bundle = make(rows=20).bundle
    history = [{"epoch": 0, "train_loss": 1.0, "loss": 0.9, "accuracy": 0.5}]
    bundle.metrics = {"forward": {"history": history}}
    [stage] = stages_of_metrics(bundle)
    assert stage.at == [] and stage.epochs[0].figures == {"loss": 0.9, "accuracy": 0.5}
