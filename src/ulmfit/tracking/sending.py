"""Records of runs that are over, told to trackers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ulmfit.errors import InputError
from ulmfit.pipeline import Note
from ulmfit.pipeline.record import FILE, not_ours, number, read
from ulmfit.run import Validated
from ulmfit.tracking.group import Trackers, figures_of, flat, numbers
from ulmfit.tracking.trackers import Asked, parse
from ulmfit.training.loop import EpochEnd, Step

STAGES = {  # as the plan of a run calls them
    "pretrain": "pretraining",
    "finetune": "fine-tuning the language model",
    "classifier": "classifier",
}
NOT_PARAMETERS = ("record", "format", "command_line", "options", "inputs", "sessions")


@dataclass(frozen=True)
class Sent:
    """A run that trackers were told of."""

    name: str
    failed: tuple[str, ...]
    """trackers that did not take all of it"""


def send(folders: Sequence[str | Path], asked: Sequence[str]) -> Generator[Note, None, list[Sent]]:
    """Tell trackers of every training.jsonl in folders, each as a run of its own.

    A run is named by its folder, that of a single file by the file. What `--track` tells while a
    model is trained is told here afterwards: of a folder of `tune` or `cross-validate`, of an
    estimator that was saved, of any model. Records that are sent twice stand there twice.

    Args:
        folders: each with records, however deep; or a record, such as that of `find-rate`.
        asked: `tensorboard`, `mlflow`, each with `=WHERE` behind it or not.

    Returns:
        Each run, and what failed of it.

    Raises:
        InputError: no such tracker, its extra is not installed, or its place cannot be opened;
            a folder is not there, holds no record, or one that is not ours. All records are read
            before the first is sent.
    """
    trackers = [parse(told) for told in dict.fromkeys(asked)]
    if not trackers:
        raise InputError("no tracker is named, such as tensorboard or mlflow")
    runs = [(name, _read(path)) for folder in folders for name, path in _records(Path(folder))]
    sent: list[Sent] = []
    for name, told in runs:
        try:
            failed = yield from _sent(name, trackers, told)
        except InputError as error:  # it could be opened for the runs before
            if not sent:
                raise
            yield Note(f"{name}: {error}")
            failed = [str(one) for one in trackers]
        sent.append(Sent(name, tuple(failed)))
    return sent


def _records(folder: Path) -> Iterator[tuple[str, Path]]:
    """The name of each run and its record, in an order that people expect: trial-2, trial-10."""
    if folder.is_file():
        yield folder.stem, folder
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder or record")
    paths = sorted(folder.rglob(FILE), key=lambda path: [_natural(p) for p in path.parts])
    if not paths:
        raise InputError(f"{folder}: no {FILE} in it: no run ended there")
    base = folder.absolute()
    for path in paths:
        parts = path.absolute().parent.relative_to(base).parts
        yield "-".join((base.name, *parts)), path


def _natural(part: str) -> tuple[str, int]:
    stem = part.rstrip("0123456789")
    return stem, int(part[len(stem) :] or -1)


@dataclass(frozen=True)
class Told:
    """What a record says."""

    parameters: dict[str, str]
    figures: list[tuple[int, dict[str, float]]]
    """each with the step of its stage, from 1; those on test rows last"""


def _read(path: Path) -> Told:
    first, *records, last = read(path)
    try:
        own = {name: value for name, value in first.items() if name not in NOT_PARAMETERS}
        figures = list(_figures(records))
        step = figures[-1][0] if figures else 0
        figures.append((step, numbers("test", last["figures"].get("test") or {})))
        if first["command"] == "find-rate":
            figures.append((step, numbers("sweep", last["figures"])))
        return Told(flat(first["options"]) | flat(own), figures)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_ours(path, error) from None


def _figures(records: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, float]]]:
    """Of each event the step of its stage, from 1, and what it says."""
    for (name, direction), own in groupby(records, lambda r: (r["stage"], r["direction"])):
        stage, step = f"{STAGES[name]} {direction}", 0
        for record in own:
            if (event := _event(record)) is not None:
                step += isinstance(event, Step)
                yield step, figures_of(event, stage)


def _event(record: Mapping[str, Any]) -> Step | EpochEnd | Validated | None:
    match record["record"]:
        case "Step":
            return Step(
                record["phase"],
                record["epoch"],
                record["step"],
                record["total"],
                number(record["loss"]),
                tuple(map(number, record["rates"])),
                record["tokens"],
                number(record["seconds"]),
            )
        case "EpochEnd":
            return EpochEnd(record["phase"], record["epoch"], number(record["loss"]))
        case "Validated":
            figures = {name: number(value) for name, value in record["figures"].items()}
            return Validated(record["epoch"], figures, record["best"])
    return None


def _sent(name: str, asked: Sequence[Asked], told: Told) -> Generator[Note, None, Sequence[str]]:
    trackers, finished = Trackers(asked, name), False
    try:
        yield from trackers.parameters(told.parameters)
        for step, figures in told.figures:
            yield from trackers.figures(figures, step)
        yield from trackers.flush()
        finished = True
    finally:
        trackers.close(finished)
    if not trackers.failed:
        yield Note(f"{name}: sent")
    return trackers.failed
