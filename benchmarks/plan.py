"""Every benchmark, in the order that they run, and how long each takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measured import growing, predicting, starting, text, training
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes
from ulmfit.errors import InputError
from ulmfit.files import write_atomically


@dataclass(frozen=True)
class Benchmark:
    """What a name on the command line stands for."""

    name: str
    run: Callable[[Path, Sizes], Outcome]
    seconds: int
    """expected of the whole on two idle cores with AVX2; a finished run knows its own"""
    about: str
    once: bool = False
    """it is not measured in rounds: one run tells it"""


BENCHMARKS = {
    b.name: b
    for b in (
        Benchmark("start", starting.start, 170, "help, load, a process to its first answer"),
        Benchmark("single", predicting.single, 60, "one text of 100 words alone"),
        Benchmark("tokenise", text.tokenise, 420, "tokenising IMDb with two workers"),
        Benchmark("predict", predicting.predict, 170, "the papers' architecture"),
        Benchmark("default", predicting.default, 190, "what a user gets, and the peers"),
        Benchmark("classifier-train", training.classifier_train, 200, "an epoch on IMDb"),
        Benchmark("lm-train", training.lm_train, 540, "the papers' language model, full softmax"),
        Benchmark("fit", training.fit, 80, "TF-IDF, MiniLM, fastText learn"),
        Benchmark("growth", growing.growth, 150, "cost against length and corpus size"),
        Benchmark("tokenise-memory", text.tokenise_memory, 120, "10 MB to 1 GB", once=True),
    )
}


def chosen(names: Sequence[str]) -> list[Benchmark]:
    """The benchmarks called `names`.

    Raises:
        InputError: there is none of that name.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise InputError(f"benchmark {name!r}: choose among {', '.join(BENCHMARKS)}")
    return [BENCHMARKS[name] for name in dict.fromkeys(names)]


def lines(benchmarks: Sequence[Benchmark], results: Mapping[str, Any]) -> list[str]:
    """What will be done and how long it took the last time, or takes about."""
    seconds = [expected(benchmark, results) for benchmark in benchmarks]
    rows = [
        f"  {benchmark.name:<17}{cost:>5.0f} s   {benchmark.about}"
        for benchmark, cost in zip(benchmarks, seconds, strict=True)
    ]
    return [*rows, f"  {'together':<17}{sum(seconds) / 60:>5.1f} min on an idle machine"]


def expected(benchmark: Benchmark, results: Mapping[str, Any]) -> float:
    """Seconds of the whole benchmark: as measured here before, else what we think."""
    part = results.get("parts", {}).get(benchmark.name, {})
    return float(part.get("seconds", benchmark.seconds))


class Pending:
    """What an interrupted run of all benchmarks still has to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """In their order; empty where nothing was interrupted."""
        if not self._path.exists():
            return []
        left = json.loads(self._path.read_text())
        return [name for name in BENCHMARKS if name in left]

    def begin(self) -> None:
        """All of them."""
        self._write(list(BENCHMARKS))

    def done(self, name: str) -> None:
        """One less."""
        left = [other for other in self.names() if other != name]
        if left:
            self._write(left)
        else:
            self._path.unlink(missing_ok=True)

    def _write(self, names: list[str]) -> None:
        write_atomically(self._path, json.dumps(names).encode())
