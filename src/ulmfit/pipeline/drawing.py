"""Which rows of the data are used with their labels, and as what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.options import Source
from ulmfit.stages.classify import check_labels

FILE = "draw.sha256"


@dataclass(frozen=True)
class Draw:
    """The rows that are used with their labels."""

    rows: NDArray[np.int64]
    """numbers of the rows, rising"""
    labels: NDArray[np.int64]
    names: list[str]

    def told(self) -> str:
        """How many rows there are of each label, for a person."""
        counts = np.bincount(self.labels, minlength=len(self.names))
        each = ", ".join(f"{name} {n:,}" for name, n in zip(self.names, counts, strict=True))
        return f"{len(self.rows):,} labelled rows: {each}"

    def texts(self, source: Source) -> Iterator[str]:
        """The texts of the rows, streamed from the source they were drawn from."""
        wanted = set(self.rows.tolist())
        return (row.text for i, row in enumerate(source.rows()) if i in wanted)

    def keep(self, folder: Path) -> None:
        """Remember this draw in the run's folder, or compare it with the one that is there.

        Raises:
            InputError: a resumed run finds other labels than those it began with.
        """
        digest = hashlib.sha256(self.rows.tobytes() + self.labels.tobytes())
        digest.update("\0".join(self.names).encode("utf8", "surrogatepass"))
        path, mine = folder / FILE, digest.hexdigest().encode()
        if not path.exists():
            write_atomically(path, mine)
        elif path.read_bytes() != mine:
            raise InputError(
                f"{folder}: the labelled data is not what it was when this run began; put it "
                "back, or start anew with --overwrite"
            )


def draw_labels(
    source: Source, wanted: int | None, seed: int, on_bad: Callable[[str], None] | None = None
) -> Draw:
    """Read the labels and choose `wanted` labelled rows, as many of each label as there are.

    Raises:
        InputError: fewer labelled rows than wanted, one label only, or a label with one row.
    """
    told = [row.label for row in source.rows(on_bad)]
    names = sorted({label for label in told if label is not None})
    number = {name: i for i, name in enumerate(names)}
    rows = np.array([i for i, label in enumerate(told) if label is not None], np.int64)
    labels = np.array([number[label] for label in told if label is not None], np.int64)
    check_labels(labels, names)
    if wanted is not None:
        if wanted > len(rows) or wanted < 2 * len(names):
            raise InputError(
                f"--labels {wanted}: the data has {len(rows)} labelled rows of {len(names)} "
                f"labels, so choose a number from {2 * len(names)} to {len(rows)}"
            )
        kept = _balanced(labels, len(names), wanted, seed)
        rows, labels = rows[kept], labels[kept]
    return Draw(rows, labels, names)


def _balanced(labels: NDArray[np.int64], classes: int, wanted: int, seed: int) -> NDArray[np.int64]:
    """`wanted` positions, dealt to the labels in turn until a label has no more rows."""
    generator = np.random.default_rng(seed)
    turn = np.empty(len(labels))
    for number in range(classes):
        mine = generator.permutation(np.flatnonzero(labels == number))
        turn[mine] = np.arange(len(mine)) + number / classes
    return np.sort(np.argsort(turn, kind="stable")[:wanted])


def known_rows(
    source: Source, names: Sequence[str], on_bad: Callable[[str], None] | None = None
) -> Iterator[tuple[str, int]]:
    """(text, number of its label) of each row that has a label, streamed.

    Raises:
        InputError: while iterating, a label that is none of `names`, with its file and line.
    """
    number = {name: i for i, name in enumerate(names)}
    for row in source.rows(on_bad):
        if row.label is None:
            continue
        if row.label not in number:
            known = ", ".join(map(repr, names))
            raise InputError(
                f"{row.file}:{row.line}: label {row.label!r} is none of the model's: {known}"
            )
        yield row.text, number[row.label]


def count_known(
    source: Source, names: Sequence[str], on_bad: Callable[[str], None] | None = None
) -> int:
    """How many rows `known_rows` gives; finds before any long work what would end it.

    Raises:
        InputError: as `known_rows`, or there is no such row.
    """
    count = sum(1 for _ in known_rows(source, names, on_bad))
    if not count:
        raise InputError(f"{', '.join(source.paths)}: no row has a label")
    return count
