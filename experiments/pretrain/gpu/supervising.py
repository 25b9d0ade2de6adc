"""Attempts by processes of their own, each a step simpler where the last one failed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from events import BEAT, say

Failure = Literal["diverged", "memory", "broken", "silent"]

REFUSED, DIVERGED, MEMORY = 2, 3, 4  # exit codes of a worker; any other but 0 means: broken
FAILURES: dict[int, Failure] = {DIVERGED: "diverged", MEMORY: "memory"}
LEAST = 20.0  # seconds: with less left another attempt is not begun
GRACE = 20.0  # seconds past its time after which an attempt is ended
FIRST_SILENCE = 120.0  # seconds without a word: libraries are loaded, kernels compiled
SILENCE = 45.0  # the same once a step was taken; the longest that is right is an epoch's start
ATTEMPTS = 8


@dataclass(frozen=True)
class How:
    """What an attempt may change."""

    rate: float
    batch: int | None = None
    """None: the worker finds it by trial"""
    path: Literal["steps", "native"] = "steps"
    record: bool = True

    def simpler(self, why: Failure) -> How:
        """One thing less that can fail as the last attempt did."""
        if why == "diverged":
            return replace(self, rate=self.rate / 2)
        if why == "memory" and self.batch:
            return replace(self, batch=max(1, self.batch // 2))
        if self.path == "steps":
            return replace(self, path="native")
        if self.record:
            return replace(self, record=False)
        return replace(self, batch=max(1, self.batch // 2)) if self.batch else self

    def arguments(self) -> list[str]:
        """For train.py's command line, behind which they count."""
        batch = [] if self.batch is None else ["--batch", str(self.batch)]
        record = [] if self.record else ["--no-record"]
        return ["--rate", str(self.rate), "--path", self.path, *batch, *record]


def supervise(
    command: Callable[[How, float], list[str]],
    how: How,
    deadline: float,
    first_silence: float = FIRST_SILENCE,
    silence: float = SILENCE,
) -> int:
    """The exit code: 0 as soon as an attempt ends well.

    Args:
        command: of an attempt, made as said, with so many seconds.
        how: the first attempt.
        deadline: of all, by `time.monotonic`.
        first_silence: seconds between two words until an attempt's first step.
        silence: seconds between two words from then on; more, and it hangs.
    """
    for _ in range(ATTEMPTS):
        left = deadline - time.monotonic()
        if left < LEAST:
            break
        worker = Worker(command(how, left), first_silence, silence)
        code = worker.watched(left + GRACE)
        if code in (0, REFUSED):
            return code
        why = "silent" if worker.silent else FAILURES.get(code, "broken")
        how = replace(how, batch=worker.batch or how.batch).simpler(why)
        say("failed", why=why, code=code, next=vars(how))
    return 1


class Worker:
    """A process whose lines are passed on, and which is ended when it says nothing for long."""

    def __init__(self, command: list[str], first_silence: float, silence: float) -> None:
        self.batch: int | None = None
        """that it trains with, once it has said so"""
        self.silent = False
        self._limit, self._later = first_silence, silence
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, process_group=0
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def watched(self, seconds: float) -> int:
        """Its exit code, after so many seconds at most."""
        begun = heard = time.monotonic()
        while True:
            ended = self._process.poll()
            try:
                self._hear(self._lines.get(timeout=0.2))
                heard = time.monotonic()
            except queue.Empty:
                if ended is not None:
                    return self._last(ended)
            now = time.monotonic()
            self.silent = ended is None and now - heard > self._limit
            if self.silent or now - begun > seconds:
                self._kill()
                return self._last(-signal.SIGKILL)

    def _hear(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            told = {}
        event = told.get("event") if isinstance(told, dict) else None
        if event == BEAT:  # with every step
            self._limit = self._later
            return
        if event == "start":
            self.batch = told["batch"]
        sys.stdout.write(line)
        sys.stdout.flush()

    def _last(self, code: int) -> int:
        """Hear what is left to hear; something that it started may hold its output open."""
        self._reader.join(1.0)
        while not self._lines.empty():
            self._hear(self._lines.get())
        return code

    def _kill(self) -> None:
        """End it and what it has started; a driver that hangs may keep it for a while yet."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
