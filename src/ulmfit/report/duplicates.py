"""Texts that stand in the data more than once, whatever their case, spaces and punctuation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.report.parts import Part


@dataclass(frozen=True)
class Pair:
    """A row of one set and the first row of another that says the same."""

    row: int
    twin: int
    same_label: bool


@dataclass(frozen=True)
class Repeats:
    """Texts that a set repeats within itself."""

    rows: int
    """that say what an earlier one has said"""
    contradicted: list[tuple[int, int]]
    """two rows for each text that stands there with several labels"""


def shared(part: Part, other: Part) -> list[Pair]:
    """The rows of `part` that stand in `other` too."""
    first: dict[bytes, int] = {}
    for row, key in enumerate(other.keys):
        first.setdefault(key, row)
    return [
        Pair(row, first[key], part.targets[row] == other.targets[first[key]])
        for row, key in enumerate(part.keys)
        if key in first
    ]


def repeats(part: Part) -> Repeats:
    """What a set says twice."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for row, key in enumerate(part.keys):
        places[key].append(row)
    several = [rows for rows in places.values() if len(rows) > 1]
    pairs = [_disagreeing(part, rows) for rows in several]
    return Repeats(sum(map(len, several)) - len(several), [pair for pair in pairs if pair])


def _disagreeing(part: Part, rows: Sequence[int]) -> tuple[int, int] | None:
    told = part.targets[rows[0]]
    other = next((row for row in rows if part.targets[row] != told), None)
    return None if other is None else (rows[0], other)
