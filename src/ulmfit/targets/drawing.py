"""A few rows of many, as even as they come: what `--labels N` learns from."""

from __future__ import annotations

import numpy as np

from ulmfit.targets.kinds import Kind, Labels, Rows
from ulmfit.targets.splitting import one_of_each


def balanced(labels: Labels, classes: int, kind: Kind, wanted: int, seed: int) -> Rows:
    """`wanted` rows, rising.

    Single and ordinal: dealt to the classes in turn until a class has no more rows. Multi: each
    time a row of the class that has the fewest so far; texts without a class count as one class
    more. Real: as the values are spread, one of each group of neighbours in value.
    """
    generator = np.random.default_rng(seed)
    if kind == "multi":
        return _of_sets(labels, wanted, generator)
    if kind == "real":
        return one_of_each(labels, wanted, generator)
    turn = np.empty(len(labels))
    for number in range(classes):
        mine = generator.permutation(np.flatnonzero(labels == number))
        turn[mine] = np.arange(len(mine)) + number / classes
    return np.sort(np.argsort(turn, kind="stable")[:wanted])


def _of_sets(labels: Labels, wanted: int, generator: np.random.Generator) -> Rows:
    sets = np.column_stack([labels, ~labels.any(1)])  # (texts, classes and none)
    waiting = [list(generator.permutation(np.flatnonzero(column))) for column in sets.T]
    drawn = np.zeros(len(labels), np.bool_)
    counts = np.zeros(sets.shape[1])
    for _ in range(wanted):
        for pile in waiting:
            while pile and drawn[pile[-1]]:
                pile.pop()
        left = np.array([bool(pile) for pile in waiting])
        row = waiting[int(np.argmin(np.where(left, counts, np.inf)))].pop()
        drawn[row] = True
        counts += sets[row]
    return np.flatnonzero(drawn)
