"""One process at a time in a folder of work."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ulmfit.errors import InputError

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # of file systems that have none
LOCK = ".lock"  # hidden, so that no folder of texts is seen in a folder of work that lies in one


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While inside, no other process works in `folder`; a killed one holds nothing.

    The folder is made if it is not there, and goes again if nothing came into it.

    Raises:
        InputError: another process is at work there.
    """
    made = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"{folder}: another process is at work in it; let it end, or stop it first"
        ) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        if made and is_empty(folder):
            shutil.rmtree(folder, ignore_errors=True)  # locked: no other process has begun there
        lock.release()
        with suppress(OSError):  # a network file system keeps an open file until now
            folder.rmdir()


def is_empty(folder: Path) -> bool:
    """Whether nothing but a lock is in `folder`."""
    return all(path.name == LOCK for path in folder.glob("*"))


def clear(folder: Path) -> None:
    """Remove what is in `folder`, if it is there; its lock stays."""
    for path in list(folder.glob("*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
