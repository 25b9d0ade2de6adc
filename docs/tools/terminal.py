"""Shell commands on a terminal of 80 columns, and what stands on it when they are done."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

COLUMNS, ROWS = 80, 24
QUIET = {"PIP_QUIET": "1"}  # what pip warns of is this machine's index, not the reader's
MOST_LINES = 100_000


@dataclass(frozen=True)
class Done:
    """What a block of commands did."""

    code: int
    shown: str
    """as a person sees it afterwards: bars that were drawn over are gone"""
    seconds: float


class Terminal:
    """One session: the folder and the variables of a block are those of the next.

    Args:
        folder: where it begins.
        state: a folder for what is kept between blocks.
    """

    def __init__(self, folder: Path, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._folder, self._variables = state / "folder", state / "variables"
        self._folder.write_text(str(folder))
        self._variables.write_text("")

    def run(self, block: str) -> Done:
        """Run a block; a failing command ends it."""
        kept, variables = map(shlex.quote, map(str, (self._folder, self._variables)))
        script = (
            f'source {variables}; cd "$(cat {kept})"\nset -e -o pipefail\n{block}\n'
            f"set +e; pwd > {kept}; export -p > {variables}"
        )
        began = time.monotonic()
        code, shown = _on_a_terminal(["bash", "-c", script])
        return Done(code, shown, time.monotonic() - began)


def _on_a_terminal(command: list[str]) -> tuple[int, str]:
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=MOST_LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(COLUMNS), **QUIET},
    )
    os.close(theirs)
    while told := _read(ours):
        stream.feed(told)
    os.close(ours)
    above = ["".join(row[i].data for i in range(COLUMNS)) for row in screen.history.top]
    lines = [line.rstrip() for line in [*above, *screen.display]]
    return process.wait(), "\n".join(lines).strip("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux tells the end of a terminal so
        return b""
