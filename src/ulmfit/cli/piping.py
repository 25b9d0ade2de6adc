"""Pipes: what is piped in as a file, and rows to stdout, for the name `-`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ulmfit.errors import InputError

PIPE = "-"


def piped(else_: str) -> bytes:
    """What is piped in, whole.

    Args:
        else_: what could be given instead, for the message.

    Raises:
        InputError: nothing is piped in.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"there is nothing to read: {else_}, or pipe it in")
    return sys.stdin.buffer.read()


@contextmanager
def files_of(paths: list[str]) -> Iterator[list[str]]:
    """`paths`, and for `-` a file of what is piped in: files are read more than once.

    Raises:
        InputError: nothing is piped in, or `-` is named twice.
    """
    if PIPE not in paths:
        yield paths
        return
    if paths.count(PIPE) > 1:
        raise InputError("- is named twice: a pipe can be read once")
    with tempfile.TemporaryDirectory() as folder:
        spooled = Path(folder) / "stdin"
        spooled.write_bytes(piped("name a file"))
        yield [str(spooled) if path == PIPE else path for path in paths]


@contextmanager
def file_to_write(out: str, suffix: str) -> Iterator[Path]:
    """The file called `out`; for `-` one that is copied to stdout once it is whole."""
    if out != PIPE:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"stdout{suffix}"
        yield path
        with path.open(encoding="utf8", newline="") as stream:
            shutil.copyfileobj(stream, sys.stdout)
