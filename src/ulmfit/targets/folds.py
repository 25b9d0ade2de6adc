"""Rows dealt into folds that look alike, each held out once (k-fold cross-validation).

Source: Kohavi 1995, "A study of cross-validation and bootstrap for accuracy estimation and model
selection": stratified folds estimate with less bias and less variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.errors import InputError
from ulmfit.targets.checks import check_labels
from ulmfit.targets.kinds import Kind, Labels, Rows


def stratified_folds(
    labels: Labels,
    names: Sequence[str],
    folds: int,
    seed: int,
    kind: Kind = "single",
    used: int | None = None,
) -> Rows:
    """The number, from 0, of the fold of each text: (texts,).

    The sizes of two folds differ by one text at most (multi: by a few). Single and ordinal: so do
    the counts of each class. Multi: iterative stratification (Sechidis, Tsoumakas and Vlahavas
    2011, alg. 1). Real: each fold has one of each `folds` neighbours in value.

    Args:
        labels: as `targets.kinds` says of the kind.
        names: of the classes.
        folds: how many, 2 at least.
        seed: of the deal.
        kind: of the labels.
        used: how many of the folds will be held out, the first ones; None: all.

    Raises:
        InputError: too few texts, or what remains beside some fold cannot be learned from.

    Example:
        >>> stratified_folds(np.array([0, 0, 0, 1, 1, 1]), ["a", "b"], 3, seed=0).tolist()
        [1, 2, 0, 0, 2, 1]
    """
    if not 2 <= folds <= len(labels):
        raise InputError(f"{folds} folds of {len(labels)} labelled rows: choose 2 to {len(labels)}")
    check_labels(labels, names, kind)
    generator = np.random.default_rng(seed)
    dealt = _sets(labels, folds, generator) if kind == "multi" else _turns(labels, folds, generator)
    for fold in range(folds if used is None else used):
        try:
            check_labels(labels[dealt != fold], names, kind)
        except InputError as error:
            if used == 1:
                raise InputError(f"without the rows that are held out: {error}") from None
            raise InputError(
                f"without fold {fold + 1} of {folds}: {error}, or fewer folds"
            ) from None
    return dealt


def _turns(labels: Labels, folds: int, generator: np.random.Generator) -> Rows:
    """Dealt in the order of the labels, equal ones mixed; each round to the folds at random."""
    mixed = generator.permutation(len(labels))
    order = mixed[np.argsort(labels[mixed], kind="stable")]
    rounds = -(-len(labels) // folds)
    if labels.dtype.kind == "f":  # neighbours in value go to different folds, in any order
        turns = np.concatenate([generator.permutation(folds) for _ in range(rounds)])
    else:  # the same order each round: a class that begins within one goes on evenly
        turns = np.tile(generator.permutation(folds), rounds)
    dealt = np.empty(len(labels), np.int64)
    dealt[order] = turns[: len(labels)]
    return dealt


def _sets(labels: Labels, folds: int, generator: np.random.Generator) -> Rows:
    """Iterative stratification: the rarest class left is dealt first, where it is missed most."""
    wanted = np.tile(labels.sum(0) / folds, (folds, 1))  # (folds, classes) still to be dealt
    room = np.full(folds, len(labels) / folds)
    dealt = np.full(len(labels), -1)
    while (remaining := labels[dealt < 0].sum(0)).any():
        rarest = int(np.argmin(np.where(remaining > 0, remaining, len(labels) + 1)))
        for row in generator.permutation(np.flatnonzero((dealt < 0) & labels[:, rarest])):
            dealt[row] = _neediest(wanted[:, rarest], room, generator)
            wanted[dealt[row]] -= labels[row]
            room[dealt[row]] -= 1
    for row in generator.permutation(np.flatnonzero(dealt < 0)):  # without any class
        dealt[row] = _neediest(room, room, generator)
        room[dealt[row]] -= 1
    return dealt


def _neediest(wanted: Labels, room: Labels, generator: np.random.Generator) -> int:
    """The fold that wants most, of equals the one with most room, of equals any."""
    order = generator.permutation(len(room))
    return int(max(order, key=lambda fold: (wanted[fold], room[fold])))
