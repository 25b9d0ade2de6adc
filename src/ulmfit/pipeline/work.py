"""The folder of a long piece of work: made once, and found again by the same call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.inputs import Input, difference
from ulmfit.pipeline.locking import alone, clear, is_empty
from ulmfit.pipeline.options import TrainOptions
from ulmfit.pipeline.runs import with_absolute_paths
from ulmfit.remote import refuse_remote

FILE = "asked.json"


def request(command: str, train: TrainOptions, own: Mapping[str, Any]) -> dict[str, Any]:
    """What two calls must have in common to be one work.

    Args:
        command: its name.
        train: how it learns; where it writes, and with how much time, may differ.
        own: the command's other options.
    """
    told = asdict(with_absolute_paths(train))
    for name in ("out", "time_budget"):
        del told[name]
    del told["machine"]["workers"]
    return {"command": command, "options": told, **own}


@contextmanager
def opened_work(
    folder: Path, asked: Mapping[str, Any], inputs: Sequence[Input], *, overwrite: bool
) -> Iterator[bool]:
    """`folder` for the length of the work: made, or found again by the same request.

    Inside, no other process works there. The folder stays, whatever happens.

    Args:
        folder: of the work.
        asked: the request, as JSON values; whatever may differ between two calls stays out.
        inputs: what is read (`pipeline.inputs`); two calls must find the same bytes.
        overwrite: begin anew where an earlier request left a folder.

    Yields:
        Whether there is something to go on with.

    Raises:
        InputError: something else is there, the work of another request or on other inputs, or
            another process.
    """
    _check_place(folder)
    with alone(folder):
        yield _open(folder, asked, inputs, overwrite)


def _check_place(folder: Path) -> None:
    """Raise InputError where no such folder can be."""
    refuse_remote(folder)
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise InputError(f"{folder}: exists and was not made by this command; choose another --out")
    if folder.absolute().parent.exists() and not folder.absolute().parent.is_dir():
        raise InputError(f"{folder.parent}: is a file, so no folder can be made in it")


def _is_ours(folder: Path) -> bool:
    return (folder / FILE).is_file() or is_empty(folder)


def _open(folder: Path, asked: Mapping[str, Any], inputs: Sequence[Input], overwrite: bool) -> bool:
    told = json.loads(json.dumps(asked))
    if overwrite:
        clear(folder)
    elif (folder / FILE).is_file():
        _check_same(folder, told, inputs)
        return True
    whole = {**told, "inputs": list(inputs)}
    write_atomically(folder / FILE, (json.dumps(whole, indent=2) + "\n").encode())
    return False


def _check_same(folder: Path, told: dict[str, Any], inputs: Sequence[Input]) -> None:
    """Raise InputError where the work was asked for otherwise, or of other inputs."""
    before = _read(folder / FILE)
    given = before.pop("inputs", [])
    if found := _difference(before, told):
        raise InputError(
            f"{folder}: holds the work of another call ({found}); choose another --out, "
            "or --overwrite to begin anew"
        )
    for then, now in zip(given, inputs, strict=False):
        if found := difference(then, now):
            raise InputError(
                f"{found} when the work in {folder} was begun; put it back as it was, choose "
                "another --out, or --overwrite to begin anew"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not what `ulmfit` wrote ({error})") from None
    if not isinstance(told, dict):
        raise InputError(f"{path}: not what `ulmfit` wrote (no JSON object)")
    return told


def _difference(old: Any, new: Any, where: str = "") -> str:
    """The first value in which two requests differ, for a person; "" if there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *old]:
            inside = f"{where}.{key}" if where else key
            if found := _difference(old.get(key), new.get(key), inside):
                return found
        return ""
    return "" if old == new else f"{where} was {json.dumps(old)}, now {json.dumps(new)}"
