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
    """`paths`, or for `-` alone a file of what is piped in: files are read more than once.

    Raises:
        InputError: nothing is piped in, `-` is named beside others, or what was piped is wrong.
    """
    if PIPE not in paths:
        yield paths
        return
    if len(paths) > 1:
        raise InputError("- stands for what is piped in, and cannot be named beside other inputs")
    with tempfile.TemporaryDirectory() as folder:
        spooled = Path(folder) / "stdin"
        spooled.write_bytes(piped("name a file"))
        try:
            yield [str(spooled)]
        except InputError as error:
            raise InputError(str(error).replace(str(spooled), "stdin")) from None


@contextmanager
def file_to_write(out: str, suffix: str) -> Iterator[Path]:
    """The file called `out`; for `-` one that is copied to stdout once it is whole."""
    if out != PIPE:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"stdout{suffix}"
        yield path
        sys.stdout.flush()
        binary = getattr(sys.stdout, "buffer", None)  # UTF-8, whatever the terminal's text is
        if binary is None:
            sys.stdout.write(path.read_text("utf8"))
            return
        with path.open("rb") as stream:
            shutil.copyfileobj(stream, binary)
