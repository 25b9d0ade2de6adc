"""How much each text counts in the loss: weights of classes and of texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from ulmfit.errors import InputError
from ulmfit.targets.encoding import listed
from ulmfit.targets.kinds import Floats, Kind, Labels, appearances

ClassWeights = Literal["balanced"] | Mapping[str, float] | None
"""None: all alike. "balanced": each class as much as any other, however many texts it has. Or by
name; a class that is not named counts 1."""


def loss_weights(
    labels: Labels,
    names: Sequence[str],
    kind: Kind,
    classes: ClassWeights = None,
    texts: Floats | None = None,
) -> Floats | None:
    """The weight of each text, (texts,), or of each text and class (multi with class weights).

    The mean is 1, so that weights leave the size of the loss, and so the rates, as they were.
    None where all are alike. Of a multi-label target, a class's given weight is that of the texts
    that have it; "balanced" gives those that have it and those that lack it half each.

    Args:
        labels: of the texts that are learned from.
        names: of the classes.
        kind: of the labels.
        classes: weights of the classes.
        texts: (texts,) weights of the texts, none below 0.

    Raises:
        InputError: a weight is no positive number, or is for a class that there is not; weights
            of texts are not one each, or all 0; class weights of real values.
    """
    weights = np.ones(len(labels)) if texts is None else _checked(texts, len(labels))
    if classes is not None:
        check_class_weights(classes, names, kind)
        share = _of_classes(labels, names, kind, classes)
        weights = weights[:, None] * share if kind == "multi" else weights * share
    elif texts is None:
        return None
    mean = weights.mean()
    if mean == 0:
        raise InputError("every row that is learned from has the weight 0")
    scaled: Floats = weights / mean
    return scaled


def check_class_weights(classes: ClassWeights, names: Sequence[str], kind: Kind) -> None:
    """Raise InputError for weights of classes that do not suit the target."""
    if classes is None:
        return
    if kind == "real":
        raise InputError("class weights: a real-valued target has no classes")
    if isinstance(classes, str):
        if classes != "balanced":
            raise InputError(f"class weights {classes!r}: 'balanced' is meant, or a weight a label")
        return
    for name, weight in classes.items():
        if name not in names:
            raise InputError(f"class weights: no label is called {name!r}; {listed(names)}")
        if not (0 < weight < math.inf):
            raise InputError(f"class weights: {name!r} has {weight}; a number above 0 is needed")


def _of_classes(labels: Labels, names: Sequence[str], kind: Kind, classes: ClassWeights) -> Floats:
    """Each text's share by its class: (texts,), of multi-label (texts, classes)."""
    count, texts = appearances(labels, kind, len(names)), len(labels)
    if isinstance(classes, Mapping):
        given = np.array([classes.get(name, 1.0) for name in names])
        return np.where(labels, given, 1.0) if kind == "multi" else given[labels]
    if kind == "multi":
        have, lack = np.maximum(count, 1), np.maximum(texts - count, 1)
        return np.where(labels, texts / (2 * have), texts / (2 * lack))
    # King and Zeng 2001, "Logistic regression in rare events data", as in scikit-learn
    shares: Floats = (texts / (len(names) * np.maximum(count, 1)))[labels]
    return shares


def _checked(weights: Floats, texts: int) -> Floats:
    weights = np.asarray(weights, np.float64)
    if weights.shape != (texts,):
        raise InputError(f"{weights.shape} weights for {texts} texts; one each is needed")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError("a text's weight must be a finite number, 0 or more")
    return weights
