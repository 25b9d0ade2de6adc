"""The most memory that a process's children hold, watched while they live.

Not `getrusage`: its figure of a child begins at what the parent held when it was started.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

SECONDS = 0.02  # between two looks


class Watched:
    """A context in which children are watched."""

    def __init__(self) -> None:
        # The last look at each: until it runs a program of its own, it holds what its parent holds.
        self._peaks: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def megabytes(self) -> float:
        """The most that one of them has held."""
        return max(self._peaks.values(), default=0.0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS):
            self._peaks |= _held()


def _held() -> Iterator[tuple[str, float]]:
    """The number of each child, and its peak in megabytes."""
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in _read(listed).split():
            for line in _read(Path("/proc", pid, "status")).splitlines():
                if line.startswith("VmHWM:"):
                    yield pid, int(line.split()[1]) / 1024


def _read(path: Path) -> str:
    """A file's text; nothing of a process that has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
