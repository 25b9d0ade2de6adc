"""What is gained by leaving the unsure answers open.

Source: El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification" (the
risk-coverage curve); Geifman and El-Yaniv 2017, "Selective classification for deep neural
networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ulmfit.errors import InputError
from ulmfit.metrics.checks import numbers, same_length

SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True, slots=True)
class Point:
    """One way to draw the line between answers that are given and those left open."""

    coverage: float  # share of the texts that are answered
    confidence: float  # the least that is needed
    accuracy: float  # share of the answered texts that are answered rightly
    n: int  # texts answered


def coverage_curve(
    confidence: ArrayLike, right: ArrayLike, shares: Sequence[float] = SHARES
) -> list[Point]:
    """How accurate the surest answers are, for each share of the texts that should be answered.

    Args:
        confidence: (texts,), higher is surer.
        right: (texts,), whether each answer is right.
        shares: above 0, at most 1. Texts that are equally sure are answered together, so that a
            point may cover more than its share; a point that covers what another does is left out.

    >>> [(p.coverage, p.accuracy) for p in coverage_curve([0.9, 0.6], [True, False], [1, 0.5])]
    [(1.0, 0.5), (0.5, 1.0)]
    """
    sure, hits = numbers(confidence, "confidence"), np.asarray(right, np.bool_)
    same_length(hits, sure)
    if not all(0 < share <= 1 for share in shares):
        raise InputError(f"shares {list(shares)}: each must be above 0 and at most 1")
    ranked = np.sort(sure)[::-1]
    points: dict[int, Point] = {}
    for share in shares:
        least = ranked[int(np.ceil(share * len(ranked))) - 1]
        kept = sure >= least
        n = int(kept.sum())
        points.setdefault(n, Point(n / len(sure), float(least), float(hits[kept].mean()), n))
    return list(points.values())
