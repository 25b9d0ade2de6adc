"""Which of many uncertain texts to take, so that they are unlike each other.

Weighted k-means++ (Arthur and Vassilvitskii 2007, sec. 2.2): the next one is drawn with a
probability that grows with its uncertainty and with the square of its distance from those that
were taken. Choosing among ten times as many of the most uncertain ones is after Zhdanov 2019,
"Diverse mini-batch active learning"; drawing as in k-means++ is after Ash et al. 2020, "Deep batch
active learning by diverse, uncertain gradient lower bounds". How many labels it saves, beside
choosing at random and by uncertainty alone: LOG, "Labels saved by `suggest`".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.targets.kinds import Floats

FARTHEST = 4.0  # squared distance of two vectors of length 1
NEAR = 1e-5  # and of two that differ by rounding alone
FLOOR = 1e-9  # so that a text the model is certain of can still be taken


class Chosen(NamedTuple):
    """Texts in the order in which they were taken: the first k are a choice of k."""

    rows: list[int]
    distances: list[float]
    """of each from the nearest one taken before, from 0 to 2; of the first 2"""


def unit_vectors(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1, after each feature has got mean 0 and deviation 1."""
    spread = vectors.std(0)
    even = (vectors - vectors.mean(0)) / np.where(spread > 0, spread, 1)
    lengths = np.linalg.norm(even, axis=1, keepdims=True)
    unit: NDArray[np.float32] = even / np.where(lengths > 0, lengths, 1)
    return unit


def choose(points: NDArray[np.float32], weights: Floats, count: int, seed: int = 0) -> Chosen:
    """Take `count` texts, or fewer where all that are left are like one that was taken.

    Args:
        points: (texts, features), of length 1.
        weights: (texts,), 0 or more; the one of the largest weight is taken first.
        count: how many to take.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    if not len(points) or count < 1:
        return Chosen([], [])
    squares = np.full(len(points), FARTHEST)
    taken = Chosen([], [])
    row = int(np.argmax(weights))
    while True:
        taken.rows.append(row)
        taken.distances.append(float(np.sqrt(squares[row])))
        away = 2 - 2 * (points @ points[row]).astype(np.float64)
        squares = np.minimum(squares, np.where(away < NEAR, 0, away))
        squares[row] = 0
        chances = squares * (weights + FLOOR)
        if len(taken.rows) == count or not chances.any():
            return taken
        row = int(generator.choice(len(points), p=chances / chances.sum()))
