"""training.jsonl, a record of how a model was made: one JSON object a line, kept in its folder.

The first line is a `Run`, the last a `Finished`; between them stand, in the order in which things
were done, the records of each stage and direction. A run that was interrupted and resumed tells
every step once, but for records that a power cut has taken. Each line has `record`, its kind:

- `Run`: `format` (1), `command`, `command_line` (its words), `options` (with absolute paths),
  `inputs` (`pipeline.inputs.Input`), `sessions` (`pipeline.sessions.Session`, one a process). The
  `fit` of an estimator is a command too; it has no command line, its texts are not told, and of
  the language model only the name.
- `Plan`, once a stage and direction: `phases` (`name`, `epochs`, `thawed` layer groups,
  `peak_rates`), `steps`, `tokens`, `seconds` (expected).
- `Step`: `phase`, `epoch` (from 0, over all phases), `step` (in the phase, from 1) of `total`,
  `loss` (nats; of a real target the squared error), `rates` (of the layer groups, lowest first;
  0 where frozen), `tokens`, `seconds`.
- `EpochEnd`: `phase`, `epoch`, `loss` (mean of its steps).
- `Validated`: `epoch`, `figures` on the held-out rows ({} if there are none), `best` (it would be
  kept if it were the last).
- `Finished`: `at` (ISO 8601, UTC) and `figures`, the scalars of metrics.json.

The middle four have `stage` ("pretrain", "finetune" or "classifier") and `direction` too. Numbers
have seven significant digits, what fp32 holds. A figure that is not finite is null.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.sessions import now

FILE = "training.jsonl"
FORMAT = 1
FIT = "fit"  # the command of an estimator
DIGITS = 7
ORDER = ("pretrain", "finetune", "classifier", "forward", "backward")


def keep(run: Path, out: Path) -> None:
    """Write the record of the run in the folder `run` beside the model that it made."""
    asked = json.loads((run / "run.json").read_text("utf8"))
    metrics = json.loads((out / "metrics.json").read_text("utf8"))
    write_atomically(out / FILE, content(asked, run, metrics))


def content(asked: Mapping[str, Any], run: Path, metrics: Mapping[str, Any]) -> bytes:
    """What training.jsonl says of a run that is over.

    Args:
        asked: its first line, but for `record` and `format`.
        run: the folder with the logs of its stages.
        metrics: of the model that it made.
    """
    return told(asked, _kept(run, asked["command"]), metrics)


def told(
    asked: Mapping[str, Any], records: Iterable[Mapping[str, Any]], metrics: Mapping[str, Any]
) -> bytes:
    """`content` of a run whose records, each with its `stage` and `direction`, are at hand."""
    whole = [
        {"record": "Run", "format": FORMAT, **asked},
        *map(_rounded, records),
        {"record": "Finished", "at": now(), "figures": _rounded(_scalars(metrics))},
    ]
    return "".join(json.dumps(record, allow_nan=False) + "\n" for record in whole).encode()


def number(value: Any) -> float:
    """A figure of a record: null stands for what was not finite."""
    return math.nan if value is None else float(value)


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a record, the `Run` first, `Finished` last.

    Raises:
        InputError: it cannot be read, or is not a record of a run that is over.
    """
    try:
        lines = [json.loads(line) for line in path.read_text("utf8").splitlines()]
        if lines[0]["record"] != "Run" or lines[-1]["record"] != "Finished":
            raise ValueError("it does not begin with a Run and end with Finished")
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise not_ours(path, error) from None
    return lines


def not_ours(path: Path, error: Exception) -> InputError:
    """What to say of a record that cannot be understood."""
    what = f"{type(error).__name__}: {error}"
    return InputError(f"{path}: not a record that ulmfit wrote ({what})")


def copy_logs(run: Path, to: Path) -> None:
    """Copy the logs of the stages, and nothing else, from one run's folder to another."""
    for log in _logs(run):
        place = to / log.relative_to(run)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, place)


def _kept(run: Path, command: str) -> Iterator[dict[str, Any]]:
    """The logs of a run's stages, but for lines that a power cut tore in an older version."""
    found = {_place(path.relative_to(run), command): path for path in _logs(run)}
    for stage, direction in sorted(found, key=_order):
        with open(found[stage, direction], encoding="utf8") as lines:
            for line in lines:
                with suppress(json.JSONDecodeError):
                    yield {**json.loads(line), "stage": stage, "direction": direction}


def _logs(run: Path) -> Iterator[Path]:
    return run.rglob("records.jsonl")


def _place(log: Path, command: str) -> tuple[str, str]:
    """(stage, direction) of a log: STAGE/DIRECTION/records.jsonl, or without the stage."""
    *stage, direction, _ = log.parts
    return (stage[0] if stage else command), direction


def _order(place: tuple[str, str]) -> list[int]:
    return [ORDER.index(part) if part in ORDER else len(ORDER) for part in place]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _rounded(v) for name, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value


def _scalars(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that are single numbers, however deep; no history, no confusion matrix."""
    kept: dict[str, Any] = {}
    for name, value in metrics.items():
        if isinstance(value, dict):
            value = _scalars(value)
        if isinstance(value, int | float | str) or (isinstance(value, dict) and value):
            kept[name] = value
    return kept
