"""Driving a loop to its end: validation, the best epoch, early stopping, checkpoints, a record.

A run lives in a folder. Killed at any moment and driven again, it goes on from its last
checkpoint and ends in the same bytes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from math import hypot, inf, isfinite, isnan, nan
from pathlib import Path
from statistics import median
from typing import Any, Generic

from ulmfit.errors import InputError
from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint
from ulmfit.training.loop import EpochEnd, Loop, Step, T

CHECKPOINT_SECONDS = 120.0


@dataclass(frozen=True)
class Validated:
    """After an epoch was measured on held-out data."""

    epoch: int
    figures: dict[str, float]
    best: bool


@dataclass(frozen=True)
class Plan:
    """What a loop is about to do, told before its first step."""

    stage: str
    phases: list[dict[str, Any]]
    """name, epochs, thawed groups and peak rates of each"""
    steps: int
    tokens: int
    """seen over all epochs"""
    seconds: float
    """expected, from a few timed steps that are then undone, and validation"""


Progress = Step | EpochEnd | Validated | Plan
PROBE_STEPS = 5
RECORDED_PROBE_STEPS = 40  # where steps are recorded, most of the first ones are slow
Validate = Callable[[], dict[str, float]]


class Run(Generic[T]):
    """A loop with its folder.

    Args:
        loop: at its start.
        folder: for `checkpoint.safetensors`, `best.safetensors` and `records.jsonl`, which
            begins with `plan` where its maker has set one.
        validate: figures of the model as it stands; {} where nothing was held out.
        monitor: the figure whose lowest value marks the best epoch.
        margin: the figure that is the error of `monitor`, or the error itself: a later epoch is
            taken as the best if it lies above the lowest by no more than the error of their
            difference (the root of both squared errors); None: the lowest is.
        patience: stop after so many epochs of the last phase without a better one.
        checkpoint_seconds: between checkpoints inside an epoch.
    """

    def __init__(
        self,
        loop: Loop[T],
        folder: Path,
        validate: Validate,
        *,
        monitor: str = "loss",
        margin: str | float | None = None,
        patience: int | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.loop = loop
        self.folder = folder
        self.plan: Plan | None = None
        self.history: list[dict[str, float]] = []
        self._validate = validate
        self._monitor = monitor
        self._margin = margin
        self._patience = patience
        self._seconds = checkpoint_seconds
        self._finished = False

    def drive(self) -> Iterator[Progress]:
        """Train to the end, then put the best epoch's weights into the model.

        Raises:
            InputError: a loss is no number any more: the rates are too high for this data, or
                the weights that it began with are spoilt.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.plan is not None:
            self._write(self.plan)
        if not self._finished:
            yield from self._train()
            self._finished = True
            self._save()
        best = self.folder / "best.safetensors"
        if best.exists():
            self.loop.model.load_state_dict(load_checkpoint(best)["model"])

    def _train(self) -> Iterator[Progress]:
        saved = time.monotonic()
        for record in self.loop.run():
            if isinstance(record, Step) and not isfinite(record.loss):
                raise InputError(
                    f"training broke in phase {record.phase!r}, step {record.step} of "
                    f"{record.total}: the loss is {record.loss:g}, at rates up to "
                    f"{max(record.rates):g}. `ulmfit find-rate` looks for rates that hold"
                )
            yield record
            if isinstance(record, Step):
                self._write(record)
                if time.monotonic() - saved >= self._seconds:
                    self._save()
                    saved = time.monotonic()
                continue
            yield self._end_epoch(record)
            saved = time.monotonic()
            if self._finished:
                return

    @property
    def begun(self) -> bool:
        """Whether an earlier process left a checkpoint to go on from."""
        return (self.folder / "checkpoint.safetensors").exists()

    @property
    def best(self) -> dict[str, float]:
        """The figures of the best epoch; {} where nothing was held out."""
        measured = [h for h in self.history if not isnan(h.get(self._monitor, nan))]
        if not measured:
            return {}
        lowest = min(measured, key=lambda h: h[self._monitor])
        if (margin := self._margin) is None:
            return lowest

        def error(figures: dict[str, float]) -> float:
            return figures[margin] if isinstance(margin, str) else margin

        low = lowest[self._monitor]
        return [h for h in measured if h[self._monitor] - low <= hypot(error(lowest), error(h))][-1]

    def _end_epoch(self, record: EpochEnd) -> Validated:
        figures = self._validate()
        self.history.append({"epoch": record.epoch, "train_loss": record.loss, **figures})
        is_best = bool(figures) and self.best is self.history[-1]
        validated = Validated(record.epoch, figures, is_best)
        self._write(record)
        self._write(validated)
        if is_best:
            state = {"model": dict(self.loop.model.state_dict())}
            save_checkpoint(self.folder / "best.safetensors", state)
        self._finished = self._out_of_patience(record.epoch)
        self._save()
        return validated

    def _out_of_patience(self, epoch: int) -> bool:
        if self._patience is None or not self.best:
            return False
        staged = sum(phase.epochs for phase in self.loop.phases[:-1])
        return epoch - max(int(self.best["epoch"]), staged - 1) >= self._patience

    def seconds_to_save(self) -> float:
        """Of what is kept after an epoch: the weights, two moments of each, the best weights."""
        path, began = self.folder / "timing.safetensors", time.monotonic()
        save_checkpoint(path, {"model": dict(self.loop.model.state_dict())})
        path.unlink()
        return 4 * (time.monotonic() - began)

    def _save(self) -> None:
        records = self.folder / "records.jsonl"
        size = 0
        if records.exists():
            with open(records, "rb") as file:
                os.fsync(file.fileno())  # the checkpoint counts on these bytes
            size = records.stat().st_size
        own: dict[str, Any] = {
            "history": self.history,
            "finished": self._finished,
            "records_bytes": size,
        }
        save_checkpoint(self.folder / "checkpoint.safetensors", self.loop.state() | {"run": own})

    def _resume(self) -> None:
        for stale in self.folder.glob(".*.part"):  # of a process killed while it wrote
            stale.unlink()
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            for name in ("records.jsonl", "best.safetensors"):
                (self.folder / name).unlink(missing_ok=True)
            return
        state = load_checkpoint(path)
        self.history = state["run"]["history"]
        self._finished = state["run"]["finished"]
        self.loop.load_state(state)
        records = self.folder / "records.jsonl"
        if records.exists():
            os.truncate(records, _whole_lines(records, state["run"]["records_bytes"]))

    def _write(self, record: Progress) -> None:
        line = {"record": type(record).__name__, **asdict(record)}
        with open(self.folder / "records.jsonl", "a", encoding="utf8") as file:
            file.write(json.dumps(line) + "\n")


def _whole_lines(log: Path, most: int) -> int:
    """The bytes of a log, at most so many, up to the end of its last whole line.

    A power cut may have left half a line, or NULs where the file had grown.
    """
    return log.read_bytes()[:most].partition(b"\0")[0].rfind(b"\n") + 1


def probe(loop: Loop[T], steps: int | None = None, within: float = inf) -> float:
    """Seconds of a mean step of the last phase, the one that learns most.

    By the token, as the batches that are timed may be longer or shorter than most. The steps are
    really taken and then undone, random states and all: training after a probe ends in the same
    bytes as without.

    Args:
        loop: at its start.
        steps: how many; None for as many as it takes to warm up and be sure.
        within: seconds after which no more are begun.
    """
    steps = steps or (RECORDED_PROBE_STEPS if loop.records else PROBE_STEPS)
    before = deepcopy(loop.state())
    loop.position.phase = len(loop.phases) - 1
    records = []
    run = loop.run()
    for record in run:
        if isinstance(record, Step):
            records.append(record)
        spent = sum(r.seconds for r in records)
        if len(records) >= steps or spent >= within or isinstance(record, EpochEnd):
            break
    run.close()
    loop.load_state(before)
    warm = len(records) * 3 // 4 if loop.records else 2
    timed = records[warm:] or records  # the first ones warm up
    a_token = median(r.seconds / max(1, r.tokens) for r in timed)
    return a_token * loop.task.tokens(0) / loop.task.steps(0)


def plan(loop: Loop[T], stage: str, seconds: float, between: float = 0.0) -> Plan:
    """The plan of a loop whose steps take `seconds`, and what follows an epoch `between`."""
    phases = [
        {
            "name": p.name,
            "epochs": p.epochs,
            "thawed": list(p.thawed),
            "peak_rates": [rate if i in p.thawed else 0.0 for i, rate in enumerate(p.peaks)],
        }
        for p in loop.phases
    ]
    epochs = range(loop.epochs())
    steps = sum(loop.task.steps(epoch) for epoch in epochs)
    tokens = sum(loop.task.tokens(epoch) for epoch in epochs)
    return Plan(stage, phases, steps, tokens, steps * seconds + len(epochs) * between)
