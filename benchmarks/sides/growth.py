"""Seconds by tokens: of documents of rising length and of corpora of rising size."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import documents
import numpy as np

Read = Callable[[Sequence[np.ndarray]], None]


def timed(folder: Path, options: dict[str, Any], read: Read) -> Callable[[], dict[str, Any]]:
    """A round: every length, then every corpus; "work" is all their tokens."""
    corpus, _ = documents.load(folder / "corpus")
    lengths = {n: [documents.stream(folder / "corpus", n)] for n in options["lengths"]}
    corpora = {sum(map(len, corpus[:n])): corpus[:n] for n in options["corpora"]}

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        told = {
            "by_length": {n: _seconds(read, given) for n, given in lengths.items()},
            "by_corpus": {n: _seconds(read, given) for n, given in corpora.items()},
        }
        tokens = sum(len(d) for group in (lengths, corpora) for g in group.values() for d in g)
        return {"work": tokens, "seconds": time.perf_counter() - started, **told}

    return work


def _seconds(read: Read, given: Sequence[np.ndarray]) -> float:
    started = time.perf_counter()
    read(given)
    return time.perf_counter() - started
