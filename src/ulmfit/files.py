"""Files and folders that are whole or not there."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ulmfit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Suffix = Literal["part", "old"]


def check_destination(path: Path) -> None:
    """Raise InputError where no file can be written."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected the name of a file to write")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    check_writable(path.parent)


def check_writable(folder: Path) -> None:
    """Raise InputError where this process may make nothing in a folder, or make the folder."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        raise InputError(f"{folder}: {there} is a file, so nothing can be written in it")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: you may not write there (permissions of {there})")


def write_atomically(path: Path, data: bytes) -> None:
    """Write aside, sync, rename: after a crash `path` is the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _beside(path, "part")
    try:
        with open(aside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """An array as numpy's own file, by `write_atomically`."""
    import numpy as np

    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    write_atomically(path, data.getvalue())


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which is renamed to `folder` at the end: that is whole or not there.

    A folder that is there is replaced; its caller has asked whether that is wanted.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    folder = folder.absolute()
    aside = new_part(folder)
    try:
        aside.mkdir(parents=True)
        yield aside
        _swap(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _swap(new: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(new, folder)
        return
    old = _beside(folder, "old")
    shutil.rmtree(old, ignore_errors=True)  # a killed process had the same number
    try:
        os.rename(folder, old)
        os.rename(new, folder)
    except BaseException:  # Ctrl-C between the two as well
        if not folder.exists():
            os.rename(old, folder)
        raise
    _clear(folder, "old")


def new_part(path: Path) -> Path:
    """What this process calls `path` until it is whole; the parts of killed ones are removed."""
    _clear(path, "part")
    return _beside(path, "part")


def _beside(path: Path, suffix: Suffix) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{suffix}")


def _clear(target: Path, suffix: Suffix) -> None:
    """Remove what this process, or one that was killed, left beside `target`."""
    for path in target.parent.glob(f".{escape(target.name)}.*.{suffix}"):
        middle = path.name[len(target.name) + 2 : -len(suffix) - 1]  # of a sibling: v2.123
        if middle.isdecimal() and not _is_anothers(int(middle)):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):  # it was a folder, or is somebody else's file
                path.unlink()


def _is_anothers(process: int) -> bool:
    """Whether it runs on this machine, and is not this one; of other machines nothing is known."""
    if process == os.getpid() or os.name != "posix":  # elsewhere the signal 0 is not harmless
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        pass
    return True
