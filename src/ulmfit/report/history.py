"""How a model was made: from training.jsonl, or what metrics.json knows where there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from ulmfit.bundle import Bundle
from ulmfit.pipeline.record import FILE, not_ours, number, read
from ulmfit.tasks import group_names


@dataclass(frozen=True)
class Epoch:
    """An epoch that was measured."""

    number: int
    """from 1"""
    train_loss: float
    figures: dict[str, float]
    """on the held-out rows; `loss` among them"""
    best: bool = False
    """better than those before, or as good"""


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same layer groups learned."""

    name: str
    begin: int
    """epochs that were over when it began"""
    epochs: int


@dataclass
class Stage:
    """One stage in one direction."""

    name: str
    """"pretrain", "finetune" or "classifier" """
    direction: str
    groups: list[str] = field(default_factory=list)
    """the layer groups, lowest first"""
    phases: list[Phase] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    """of each step: how many epochs were over when it was done"""
    losses: list[float] = field(default_factory=list)
    """of each step: nats; of a classifier of real values, the squared error in shares of the
    variance"""
    rates: list[list[float]] = field(default_factory=list)
    """of each step and group"""
    epochs: list[Epoch] = field(default_factory=list)
    tokens: int = 0
    """seen over all steps"""
    seconds: float = 0.0
    """of all steps; validation left out"""

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights were kept."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)


@dataclass(frozen=True)
class Record:
    """All of training.jsonl."""

    run: dict[str, Any]
    """its first line"""
    stages: list[Stage]
    finished: str
    """when, ISO 8601"""


def read_record(folder: Path) -> Record | None:
    """The record of a model's folder; None where there is none.

    Raises:
        InputError: it is not what `ulmfit` writes.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    first, *records, last = read(path)
    try:
        return Record(first, list(_stages(records)), str(last["at"]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise not_ours(path, error) from None


def _stages(records: list[dict[str, Any]]) -> Iterator[Stage]:
    for (name, direction), own in groupby(records, lambda r: (r["stage"], r["direction"])):
        yield _stage(str(name), str(direction), list(own))


def _stage(name: str, direction: str, records: list[dict[str, Any]]) -> Stage:
    stage = Stage(name, direction)
    train_loss = math.nan
    for kind, own in groupby(records, lambda r: r["record"]):
        match kind:
            case "Step":
                _add_steps(stage, list(own))
            case "EpochEnd":
                train_loss = number(list(own)[-1]["loss"])
            case "Validated":
                stage.epochs += [_epoch(record, train_loss) for record in own]
    stage.groups = group_names(name, len(stage.rates[0])) if stage.rates else []
    stage.phases = _phases(records)
    return stage


def _add_steps(stage: Stage, steps: list[dict[str, Any]]) -> None:
    """The steps of one epoch (an EpochEnd stands between two)."""
    for i, step in enumerate(steps, 1):
        stage.at.append(int(step["epoch"]) + i / len(steps))
        stage.losses.append(number(step["loss"]))
        stage.rates.append([number(rate) for rate in step["rates"]])
        stage.tokens += int(step["tokens"])
        stage.seconds += number(step["seconds"])


def _epoch(record: dict[str, Any], train_loss: float) -> Epoch:
    figures = {str(k): number(v) for k, v in record["figures"].items()}
    return Epoch(int(record["epoch"]) + 1, train_loss, figures, bool(record["best"]))


def _phases(records: Iterable[dict[str, Any]]) -> list[Phase]:
    ends = [(str(r["phase"]), int(r["epoch"])) for r in records if r["record"] == "EpochEnd"]
    phases = []
    for name, own in groupby(ends, lambda pair: pair[0]):
        epochs = [epoch for _, epoch in own]
        phases.append(Phase(name, epochs[0], len(epochs)))
    return phases


def stages_of_metrics(bundle: Bundle) -> list[Stage]:
    """What metrics.json tells of the last stage: its epochs, and no steps."""
    name = "classifier" if bundle.kind == "classifier" else "language model"
    stages = []
    for direction in bundle.directions:
        metrics = bundle.metrics.get(direction, {})
        kept = metrics.get("validation", {}).get("epoch")
        stage = Stage(name, direction)
        for told in metrics.get("history", []):
            figures = {k: number(v) for k, v in told.items() if k not in ("epoch", "train_loss")}
            loss = number(told.get("train_loss"))
            best = told["epoch"] == kept
            stage.epochs.append(Epoch(int(told["epoch"]) + 1, loss, figures, best))
        if stage.epochs:
            stages.append(stage)
    return stages
