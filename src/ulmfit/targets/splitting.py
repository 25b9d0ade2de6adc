"""Which rows are held out, so that they look like the rest: by class, by sets, by value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ulmfit.targets.checks import check_labels
from ulmfit.targets.kinds import Kind, Labels, Rows

TRAIN, VALID = 0, 1
MOST = 1.5  # times the fraction: rare classes of sets, each with a row held out, would take more
LEARNED = 2  # rows at least: batch norm needs them


def stratified_split(
    labels: Labels, names: Sequence[str], fraction: float, seed: int, kind: Kind = "single"
) -> tuple[Rows, Rows]:
    """(training, validation) rows, both rising.

    Single and ordinal: `fraction` of each class, and every class in both. Multi: iterative
    stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label
    data", alg. 1), and every class in training; each is held out too while that takes no more than
    `MOST` times `fraction` of the rows. Real: one of each `1 / fraction` neighbours in value.

    Raises:
        InputError: as `check_labels`.
    """
    check_labels(labels, names, kind)
    generator = np.random.default_rng(seed)
    if kind == "multi":
        chosen = _of_sets(labels, fraction, generator)
    elif kind == "real":
        chosen = one_of_each(labels, max(1, round(fraction * len(labels))), generator)
    else:
        chosen = _of_classes(labels, len(names), fraction, generator)
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def _of_classes(
    labels: Labels, classes: int, fraction: float, generator: np.random.Generator
) -> Rows:
    counts = np.bincount(labels, minlength=classes)
    valid = []
    for number, count in enumerate(counts):
        rows = generator.permutation(np.flatnonzero(labels == number))
        valid.append(rows[: max(1, round(fraction * int(count)))])
    return np.sort(np.concatenate(valid))


def one_of_each(values: Labels, groups: int, generator: np.random.Generator) -> Rows:
    """One row, at random, of each of so many groups of neighbours in value; rising."""
    mixed = generator.permutation(len(values))  # so that equal values have no order
    order = mixed[np.argsort(values[mixed], kind="stable")]
    return np.sort([generator.choice(group) for group in np.array_split(order, groups)])


def _of_sets(labels: Labels, fraction: float, generator: np.random.Generator) -> Rows:
    """Iterative stratification into two; the rarest class left is dealt first.

    With many rare classes the rows that hold one of each would be a third of all: past `most` rows
    the others are learned from.
    """
    counts = labels.sum(0)
    held_out = np.where(counts > 1, np.maximum(1, np.round(fraction * counts)), 0)
    wanted = np.stack([counts - held_out, held_out])  # (sides, classes) still to be dealt
    share = round(fraction * len(labels))
    room = np.array([len(labels) - share, share])
    most = min(max(1, math.ceil(MOST * share)), len(labels) - LEARNED)
    side, remaining = np.full(len(labels), -1), counts.copy()
    while remaining.any():
        rarest = int(np.argmin(np.where(remaining > 0, remaining, len(labels) + 1)))
        for row in generator.permutation(np.flatnonzero((side < 0) & labels[:, rarest])):
            sides = (TRAIN, VALID) if share - room[VALID] < most else (TRAIN,)
            side[row] = max(sides, key=lambda s: (wanted[s, rarest], room[s]))
            wanted[side[row]] -= labels[row]
            room[side[row]] -= 1
            remaining -= labels[row]
    bare = generator.permutation(np.flatnonzero(side < 0))
    valid = max(0, int(room[VALID]))
    side[bare[:valid]], side[bare[valid:]] = VALID, TRAIN
    return np.flatnonzero(_with_every_class_in_training(labels, side) == VALID)


def _with_every_class_in_training(labels: Labels, side: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each class that was held out whole gives a row back."""
    for number in range(labels.shape[1]):
        rows = np.flatnonzero(labels[:, number])
        if len(rows) and not (side[rows] == TRAIN).any():
            side[rows[0]] = TRAIN
    return side
