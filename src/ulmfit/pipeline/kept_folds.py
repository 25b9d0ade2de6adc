"""What is left of a fold when it is over: its record, its figures and its answers; no weights.

A record is a training.jsonl as every model has (`pipeline.record`). Its first line tells the
command and the options of the whole work, and which part of it this was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.files import write_array, write_atomically
from ulmfit.pipeline.command_line import command_line
from ulmfit.pipeline.inputs import inputs
from ulmfit.pipeline.options import TrainOptions
from ulmfit.pipeline.record import FILE as RECORD
from ulmfit.pipeline.record import content
from ulmfit.pipeline.runs import FILE as RUN
from ulmfit.pipeline.runs import with_absolute_paths
from ulmfit.pipeline.sessions import Session, ended
from ulmfit.targets.kinds import Floats

FIGURES, LOGITS = "figures.json", "logits.npy"
KEPT = frozenset({RECORD, FIGURES, LOGITS})
STEPS = "records.jsonl"  # of a stage that did not come to its end; else in the record


@dataclass(frozen=True)
class Measured:
    """What a classifier said of rows that it had not learned from."""

    figures: dict[str, Any]
    """as `evaluate` gives them"""
    target: dict[str, Any]
    """what the outputs mean: the fields of `TargetConfig`"""
    logits: Floats
    """(texts, directions, outputs)"""

    def save(self, folder: Path) -> None:
        """Keep it; the figures come last, so that they stand for the whole."""
        write_array(folder / LOGITS, self.logits)
        told = {"target": self.target, "figures": self.figures}
        write_atomically(folder / FIGURES, json.dumps(told, default=float).encode())

    @staticmethod
    def load(folder: Path) -> Measured | None:
        """What `save` kept in `folder`, if it did."""
        if not (folder / FIGURES).is_file():
            return None
        told = json.loads((folder / FIGURES).read_text("utf8"))
        logits = np.load(folder / LOGITS, allow_pickle=False)
        return Measured(told["figures"], told["target"], logits)


def work_told(command: str, options: TrainOptions, own: Mapping[str, Any]) -> dict[str, Any]:
    """What every record of a piece of work begins with.

    Args:
        command: "cross-validate" or "tune".
        options: how to learn.
        own: the command's other options.

    Raises:
        OSError: an input cannot be read.
    """
    absolute = with_absolute_paths(options)
    return {
        "command": command,
        "command_line": _words(command, options, own),
        "options": {**asdict(absolute), **own},
        "inputs": inputs(absolute),
    }


def _words(command: str, options: TrainOptions, own: Mapping[str, Any]) -> list[str]:
    words = command_line("train", options)
    words[1] = command
    for name, value in own.items():
        if value is not None and value is not False:
            words.append(f"--{name.replace('_', '-')}")
            words += [] if value is True else [str(value)]
    return words


def begin_record(folder: Path, told: Mapping[str, Any], begins: Session) -> None:
    """Note in `folder` what its record begins with, and this process after those before it."""
    path, sessions = folder / RUN, [begins]
    if path.is_file():
        *before, last = json.loads(path.read_text("utf8"))["sessions"]
        sessions = [*before, ended(last, folder), begins]
    write_atomically(path, json.dumps({**told, "sessions": sessions}).encode())


def keep_record(began: Path, run: Path, out: Path, metrics: Mapping[str, Any]) -> None:
    """Write the record of a model into the folder `out`.

    Args:
        began: the folder that `begin_record` was told.
        run: the folder with the stages' own.
        out: of the model, or of what is kept of it.
        metrics: of the model.
    """
    told = json.loads((began / RUN).read_text("utf8"))
    write_atomically(out / RECORD, content(told, run, metrics))


def settle(place: Path, bundle: Bundle, done: Measured) -> None:
    """Write the record of the classifier that was made in `place`, then what it said.

    The record ends with the figures of the rows that were held out, as those of test rows.
    """
    keep_record(place, place, place, {**bundle.metrics, "test": done.figures})
    done.save(place)


def tidy(folder: Path, kept: Collection[str] = KEPT) -> None:
    """Remove every file in `folder`, however deep, that has none of these names."""
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder, then the folder
        if not path.is_dir():
            if path.name not in kept:
                path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()
