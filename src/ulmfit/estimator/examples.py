"""The arguments of `fit` -> what there is to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ulmfit.estimator.texts import text_list
from ulmfit.estimator.weights import read_weights
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.separators import free_separator
from ulmfit.targets.kinds import Floats, Kind, Labels, Rows


@dataclass(frozen=True)
class Counted:
    """The texts that count."""

    texts: list[str]
    given: int
    """texts that there were"""
    weights: Floats | None = None
    """(texts,) above 0; None: all alike"""
    rows: Rows | None = None
    """which of those given these are; None: all"""


def counted(texts: Any, sample_weight: Any) -> Counted:
    """The texts of `fit`, but those whose weight is 0.

    Raises:
        InputError: they are no texts, or the weights are none.
    """
    strings = text_list(texts)
    if sample_weight is None:
        return Counted(strings, len(strings))
    weights = read_weights(sample_weight, len(strings))
    if weights.all():
        return Counted(strings, len(strings), weights)
    rows = np.flatnonzero(weights)
    return Counted([strings[row] for row in rows], len(strings), weights[rows], rows)


@dataclass(frozen=True)
class Examples:
    """What there is to learn from."""

    texts: list[str]
    draw: Draw
    """of all `texts`"""
    unlabelled: list[str]

    def all_texts(self) -> Iterator[str]:
        """Each once, in the order in which `ulmfit train` reads files."""
        return distinct([*self.texts, *self.unlabelled])


def examples(
    counted: Counted, labels: Labels, names: list[str], kind: Kind, unlabelled: Any
) -> Examples:
    """Texts with their labels, and more texts.

    Raises:
        InputError: `unlabelled` is no list of texts.
    """
    separator = free_separator(names) if kind == "multi" else ""
    draw = Draw(np.arange(len(labels)), labels, names, kind, counted.weights, separator)
    more = [] if unlabelled is None else text_list(unlabelled, "unlabelled")
    return Examples(counted.texts, draw, more)
