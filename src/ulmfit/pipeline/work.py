"""The folder of a long piece of work: made once, and found again by the same call."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ulmfit.errors import InputError
from ulmfit.files import write_atomically

FILE = "asked.json"


def open_work(folder: Path, asked: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Make `folder`, or go on in it if it was made by the same request.

    Args:
        folder: of the work.
        asked: the request, as JSON values; whatever may differ between two calls stays out.
        overwrite: begin anew where an earlier request left a folder.

    Returns:
        Whether there is something to go on with.

    Raises:
        InputError: something else is there, or the work of another request.
    """
    told = json.loads(json.dumps(asked))
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise InputError(f"{folder}: exists and was not made by this command; choose another --out")
    if overwrite:
        shutil.rmtree(folder, ignore_errors=True)
    elif (folder / FILE).is_file():
        if difference := _difference(_read(folder / FILE), told):
            raise InputError(
                f"{folder}: holds the work of another call ({difference}); choose another --out, "
                "or --overwrite to begin anew"
            )
        return True
    if folder.absolute().parent.exists() and not folder.absolute().parent.is_dir():
        raise InputError(f"{folder.parent}: is a file, so no folder can be made in it")
    write_atomically(folder / FILE, (json.dumps(told, indent=2) + "\n").encode())
    return False


def _is_ours(folder: Path) -> bool:
    return (folder / FILE).is_file() or not any(folder.iterdir())


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not what `ulmfit` wrote ({error})") from None


def _difference(old: Any, new: Any, where: str = "") -> str:
    """The first value in which two requests differ, for a person; "" if there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *old]:
            inside = f"{where}.{key}" if where else key
            if found := _difference(old.get(key), new.get(key), inside):
                return found
        return ""
    return "" if old == new else f"{where} was {json.dumps(old)}, now {json.dumps(new)}"
