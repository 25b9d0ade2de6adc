"""The folder of a run: what was asked, and all that is needed to go on after a crash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ulmfit.budget import Budget
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.manifest import is_bundle
from ulmfit.pipeline.command_line import command_line
from ulmfit.pipeline.inputs import changed, inputs
from ulmfit.pipeline.locking import alone, clear, is_empty
from ulmfit.pipeline.options import (
    FinetuneOptions,
    Machine,
    Options,
    PretrainOptions,
    Source,
    TrainOptions,
)
from ulmfit.pipeline.record import keep
from ulmfit.pipeline.sessions import Sizes, ended, session, spent
from ulmfit.remote import is_remote, local_folder, refuse_remote
from ulmfit.run import Progress

COMMANDS: dict[str, type[Options]] = {
    "pretrain": PretrainOptions,
    "finetune": FinetuneOptions,
    "train": TrainOptions,
}
FILE = "run.json"


@dataclass(frozen=True)
class Note:
    """Something that a person should know."""

    text: str


@dataclass(frozen=True)
class Texts:
    """How many texts a pass over them has done."""

    what: str
    done: int
    total: int | None = None
    """where an earlier pass has counted them"""


Event = Progress | Note | Texts
"""what a command yields while it works"""


def run_folder(out: str) -> Path:
    """Where the run that makes `out` lives: `out` with `.run` behind it.

    Raises:
        InputError: `out` has no name (".", "/", "").
    """
    out_path = Path(out)
    if not out_path.name:
        raise InputError(f"{out!r} is no folder that can be made; choose another --out")
    return out_path.with_name(out_path.name + ".run")


def begin(
    command: str, options: Options, sizes: Sizes = (), *, overwrite: bool, resuming: bool
) -> Path:
    """Make the run's folder, or find it again when resuming.

    Raises:
        InputError: `out` exists or an unfinished run stands there, and `overwrite` is not set;
            what is at `out` is no model; or a resumed run finds other inputs than it began with.
        OSError: an input cannot be read.
    """
    folder = run_folder(options.out)
    _check_place(options, overwrite=overwrite, resuming=resuming)
    if resuming:
        _check_inputs(folder, options)
        _note_session(folder, options, sizes)
        return folder
    asked = _asked(command, options, sizes)
    clear(folder)
    _write(folder, asked)
    return folder


def _check_place(options: Options, *, overwrite: bool, resuming: bool) -> None:
    """Raise InputError where there is something that the run must not replace, or no run."""
    refuse_remote(options.out)
    out, folder = Path(options.out), run_folder(options.out)
    if out.exists() and (resuming or overwrite) and not is_bundle(out):
        how = "the run" if resuming else "--overwrite"
        raise InputError(f"{out}: exists and is no model, so {how} does not replace it; move it")
    if resuming:
        _require_run(folder)
        return
    if out.exists() and not overwrite:
        raise InputError(f"{out}: exists already; choose another --out, or --overwrite to replace")
    if (folder / FILE).exists() and not overwrite:
        raise InputError(
            f"{folder}: an unfinished run is here; `ulmfit resume {folder}` goes on with it, "
            "--overwrite starts anew"
        )
    _refuse_anothers(folder)
    if out.absolute().parent.exists() and not out.absolute().parent.is_dir():
        raise InputError(f"{out.parent}: is a file, so no model can be written in it")


def _refuse_anothers(folder: Path) -> None:
    """Raise InputError where a run would be, and something else is."""
    ours = folder.is_dir() and ((folder / FILE).exists() or is_empty(folder))
    if folder.exists() and not ours:
        raise InputError(
            f"{folder}: exists and is no run, and the run would be there; move it, or choose "
            "another --out"
        )


def _require_run(folder: Path) -> None:
    if not (folder / FILE).is_file():
        hint = "; a finished run leaves none" if not folder.exists() else ""
        raise InputError(f"{folder}: no unfinished run (it has no {FILE}){hint}")


def _asked(command: str, options: Options, sizes: Sizes) -> dict[str, Any]:
    """What run.json says, and `record` repeats."""
    absolute = with_absolute_paths(options)
    # Before the inputs are hashed: what is written later is new.
    begins = session(options.machine, sizes)
    return {
        "command": command,
        "command_line": command_line(command, options),
        "options": asdict(absolute),
        "inputs": inputs(absolute),
        "sessions": [begins],
    }


def _check_inputs(folder: Path, options: Options) -> None:
    """Raise InputError where the inputs are not those that the run began with."""
    asked = json.loads((folder / FILE).read_text("utf8"))
    if not asked.get("inputs"):
        return
    began = datetime.fromisoformat(asked["sessions"][0]["at"]).timestamp()
    if told := changed(with_absolute_paths(options), asked["inputs"], began):
        raise InputError(
            f"{told} when {folder} was begun; put it back as it was, or give the first command "
            "again with --overwrite"
        )


def _note_session(folder: Path, options: Options, sizes: Sizes) -> None:
    """Add this process to those that have worked on the run."""
    asked = json.loads((folder / FILE).read_text("utf8"))
    sessions = asked.get("sessions", [])
    sessions[-1:] = [ended(last, folder) for last in sessions[-1:]]
    _write(folder, {**asked, "sessions": [*sessions, session(options.machine, sizes)]})


def _write(folder: Path, asked: dict[str, Any]) -> None:
    write_atomically(folder / FILE, (json.dumps(asked, indent=2) + "\n").encode())


def with_absolute_paths(options: Options) -> Options:
    """With absolute paths, so that the run can be resumed from any folder."""
    changes: dict[str, Any] = {"out": _absolute_path(options.out)}
    for name in ("corpus", "data"):
        if source := getattr(options, name, None):
            changes[name] = replace(source, paths=tuple(map(_absolute_path, source.paths)))
    for name in ("unlabelled", "test"):
        if paths := getattr(options, name, None):
            changes[name] = tuple(map(_absolute_path, paths))
    for name in ("lm", "start", "teacher"):
        lm = getattr(options, name, None)
        if lm is not None and is_remote(lm):  # the files of this day, whatever the hub has later
            changes[name] = str(local_folder(lm))
        elif lm is not None and Path(lm).exists():  # else the name of an embedded one
            changes[name] = _absolute_path(lm)
    return replace(options, **changes)


def _absolute_path(path: str) -> str:
    return str(Path(path).absolute())


@contextmanager
def opened(
    command: str, options: Options, sizes: Sizes = (), *, overwrite: bool, resuming: bool
) -> Iterator[Path]:
    """The run's folder for the length of a run; gone, its record kept, when the model is in place.

    A wrong input found on the way leaves no folder behind, unless training has begun in it; a
    crash, a full disk or an interrupt leaves what `resume` goes on from. `sizes` are those of the
    encoder's layers, whose arithmetic the record tells.

    Raises:
        InputError: as `begin`; or another process is at work on the run.
    """
    folder = run_folder(options.out)
    if not folder.is_dir():  # one is made for the lock: not where nothing is to be made
        _check_place(options, overwrite=overwrite, resuming=resuming)
    elif not resuming:
        _refuse_anothers(folder)  # nor a lock made in it
    with alone(folder):
        begin(command, options, sizes, overwrite=overwrite, resuming=resuming)
        try:
            yield folder
        except InputError:
            if not resuming and next(folder.rglob("checkpoint.safetensors"), None) is None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        keep(folder, Path(options.out))
        shutil.rmtree(folder, ignore_errors=True)


def remaining(budget: Budget | None, folder: Path) -> Budget | None:
    """What earlier sessions of the run have left of its time."""
    return None if budget is None else replace(budget, ends=budget.ends - spent(folder / FILE))


def asked(folder: Path) -> tuple[str, Options]:
    """The command and options of an unfinished run; its model goes beside the run's folder.

    Raises:
        InputError: `folder` is no run's folder.
    """
    folder = folder.absolute()
    if not folder.name.endswith(".run") and run_folder(str(folder)).is_dir():
        folder = run_folder(str(folder))
    path = folder / FILE
    if path.is_file() and not folder.name.endswith(".run"):
        raise InputError(f"{folder}: the folder of a run must be named as its model, .run behind")
    _require_run(folder)
    try:
        told = json.loads(path.read_text("utf8"))
        command: str = told["command"]
        out = str(folder.with_name(folder.name.removesuffix(".run")))
        return command, options_of(command, told["options"] | {"out": out})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not what `ulmfit` wrote ({error})") from None


def options_of(command: str, values: dict[str, Any]) -> Options:
    """The options of a command, from their JSON in run.json or training.jsonl.

    Raises:
        KeyError, TypeError: that is not what they are.
    """
    values = _with_tuples(values)
    for name in ("corpus", "data"):
        if name in values:
            values[name] = Source(**_with_tuples(values[name]))
    values["machine"] = Machine(**values["machine"])
    return COMMANDS[command](**values)


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
