"""Sets of labelled rows as the report looks at them: training, validation, test, or other data."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulmfit.data.rows import Row
from ulmfit.errors import InputError
from ulmfit.pipeline.options import Source
from ulmfit.targets.encoding import Coding, Target
from ulmfit.targets.kinds import Labels

NOT_A_WORD = re.compile(r"\W+")


@dataclass(frozen=True)
class Part:
    """Labelled rows: of all of them what is small, and the texts of some."""

    name: str
    """"training", "validation", "test", or the name of a file"""
    coding: Coding
    targets: Sequence[Target]
    """of each row"""
    keys: Sequence[bytes]
    """of each row's text: equal where the texts say the same"""
    rows: NDArray[np.int64]
    """the rows whose texts are at hand, rising"""
    texts: Sequence[str]
    """of `rows`"""
    places: Sequence[str]
    """of `rows`: file and line"""

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def labels(self) -> Labels:
        """Of `rows`."""
        return self.coding.array([self.targets[i] for i in self.rows])

    @property
    def is_drawn(self) -> bool:
        """Whether the texts at hand are only some of the rows'."""
        return len(self.rows) < len(self.targets)

    def told(self, target: Target) -> str:
        """A target in words."""
        if isinstance(target, tuple):
            return ", ".join(self.coding.names[number] for number in target) or "none"
        return f"{target:g}" if self.coding.kind == "real" else self.coding.names[int(target)]

    def take(self, name: str, rows: NDArray[np.int64]) -> Part:
        """The rows with these numbers, rising, as a set of their own."""
        at = {int(row): i for i, row in enumerate(self.rows)}
        held = [(new, at[int(row)]) for new, row in enumerate(rows) if int(row) in at]
        return Part(
            name,
            self.coding,
            [self.targets[row] for row in rows],
            [self.keys[row] for row in rows],
            np.array([new for new, _ in held], np.int64),
            [self.texts[i] for _, i in held],
            [self.places[i] for _, i in held],
        )

    def sample(self, most: int, seed: int) -> Part:
        """The same rows with at most so many texts, drawn by `seed`."""
        if len(self.rows) <= most:
            return self
        kept = np.sort(np.random.default_rng(seed).permutation(len(self.rows))[:most])
        texts, places = [self.texts[i] for i in kept], [self.places[i] for i in kept]
        return Part(self.name, self.coding, self.targets, self.keys, self.rows[kept], texts, places)


def read_part(
    name: str,
    source: Source,
    coding: Coding,
    most: int,
    seed: int,
    wanted: Collection[int] | None = None,
) -> Part:
    """The labelled rows of `source`, with the texts of at most `most` of them.

    Args:
        name: of the set.
        source: where they are; read once, in constant memory but for labels and keys.
        coding: of their labels.
        most: texts to keep; of more, so many are drawn (Vitter 1985, algorithm R).
        seed: of the draw.
        wanted: numbers of the only rows to take; None takes every row with a label.

    Raises:
        InputError: a label that is none of the model's, with its file and line; no row at all.
    """
    generator = np.random.default_rng(seed)
    targets: list[Target] = []
    keys: list[bytes] = []
    held: list[tuple[int, str, str]] = []
    for number, row in enumerate(_labelled(source, wanted)):
        targets.append(_target(row, coding))
        keys.append(key(row.text))
        slot = number if number < most else int(generator.integers(number + 1))
        if slot < most:
            held[slot : slot + 1] = [(number, row.text, f"{row.file}:{row.line}")]
    if not targets:
        raise InputError(f"{', '.join(source.paths)}: no row has a label")
    held.sort()
    return Part(
        name,
        coding,
        targets,
        keys,
        np.array([number for number, _, _ in held], np.int64),
        [text for _, text, _ in held],
        [place for _, _, place in held],
    )


def _labelled(source: Source, wanted: Collection[int] | None) -> Iterator[Row]:
    for number, row in enumerate(source.rows()):
        if row.label is not None and (wanted is None or number in wanted):
            yield row


def _target(row: Row, coding: Coding) -> Target:
    assert row.label is not None
    try:
        return coding.of(row.label)
    except InputError as error:
        raise InputError(f"{row.file}:{row.line}: {error}") from None


def key(text: str) -> bytes:
    """Equal for texts that a reader would call the same: case, spaces and signs are let go.

    >>> key("Who is it?") == key("who  is it")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = NOT_A_WORD.sub(" ", folded).strip() or folded  # a text of signs alone is its signs
    return hashlib.blake2b(words.encode("utf8", "surrogatepass"), digest_size=16).digest()
