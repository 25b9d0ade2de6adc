"""Sides measured in turn in one run, so that what slows the machine slows both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
Answers = Sequence[Mapping[str, Any]]
"""of one side, one a round: "work" in units of its own, "seconds", "peak_mb" """
PYTHON = {"ours": sys.executable, "peers": str(HERE.parent / ".venv-peers" / "bin" / "python")}


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_figure(self.median)} ({_figure(self.least)} to {_figure(self.most)})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True)
class Side:
    """A way of doing the work: a module of `sides/`, run by the Python of an environment."""

    module: str
    environment: str = "ours"
    options: Mapping[str, Any] = field(default_factory=dict)


class Process:
    """A side that is running and waits to be asked."""

    def __init__(self, side: Side, folder: Path) -> None:
        environment = {
            **os.environ,
            "TOKENIZERS_PARALLELISM": "false",
            "TQDM_DISABLE": "1",
        }
        self._side = side
        self._process = subprocess.Popen(
            [
                PYTHON[side.environment],
                HERE / "side.py",
                side.module,
                folder,
                json.dumps(side.options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._read()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._end()

    def _end(self) -> int:
        """Its exit code; a side stops when nobody can ask it any more."""
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait()

    def measure(self) -> dict[str, Any]:
        """One piece of work."""
        assert self._process.stdin
        print("go", file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._side.module} failed with exit code {self._end()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(
    sides: Mapping[str, Side], folder: Path, rounds: int, warm: int = 1
) -> dict[str, list[dict[str, Any]]]:
    """Every side's answers, one a round; the sides take turns, after `warm` rounds to warm up."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    with ExitStack() as stack:
        running = {name: stack.enter_context(Process(s, folder)) for name, s in sides.items()}
        for number in range(rounds + warm):
            for name, process in running.items():
                answer = process.measure()
                if number >= warm:
                    answers[name].append(answer)
    return answers


def measure_fresh(
    sides: Mapping[str, Side], folder: Path, rounds: int, warm: int = 1
) -> dict[str, list[dict[str, Any]]]:
    """The same with a new process each time; "wall_s" is from its start to its answer."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(rounds + warm):
        for name, side in sides.items():
            started = time.perf_counter()
            with Process(side, folder) as process:
                answer = process.measure()
                answer["wall_s"] = time.perf_counter() - started
            if number >= warm:
                answers[name].append(answer)
    return answers


def rates(answers: Answers) -> list[float]:
    """Work a second of each round."""
    return [answer["work"] / answer["seconds"] for answer in answers]


def ratio(ours: Answers, theirs: Answers) -> Spread:
    """How many times as fast, round by round."""
    pairs = zip(rates(ours), rates(theirs), strict=True)
    return Spread.of([mine / other for mine, other in pairs])
