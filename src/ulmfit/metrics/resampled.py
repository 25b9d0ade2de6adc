"""The mean of a figure over splits of the same rows, and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from ulmfit.errors import InputError

LEVEL = 0.95


@dataclass(frozen=True)
class Resampled:
    """A figure measured on several splits."""

    mean: float
    sd: float | None
    """standard deviation between splits (n - 1); None of one split"""
    low: float | None
    """of the 95% interval of the mean; None of one split"""
    high: float | None


def resampled(
    values: Sequence[float],
    learned: float,
    held_out: float,
    ends: tuple[float, float] | None = None,
) -> Resampled:
    """Mean, spread and interval of a figure over the splits of (repeated) cross-validation.

    The splits learn from mostly the same rows, so that their figures are alike and the plain
    t-interval is too narrow. Here its variance is corrected: s^2 (1/J + held_out/learned) for J
    splits, with J - 1 degrees of freedom. Source: Nadeau and Bengio 2003, "Inference for the
    generalization error", sec. 3; for repeated folds: Bouckaert and Frank 2004.

    Args:
        values: the figure of each split.
        learned: rows that a split learned from, on average.
        held_out: rows that it was measured on, on average.
        ends: values that the figure cannot leave, such as 0 and 1.

    Example:
        >>> found = resampled([0.9, 0.92, 0.94], learned=200, held_out=100)
        >>> print(f"{found.mean:.2f} {found.sd:.2f} {found.low:.3f} {found.high:.3f}")
        0.92 0.02 0.841 0.999
    """
    if not values or learned <= 0 or held_out <= 0:
        raise InputError("a mean over splits needs a split, with rows on both sides")
    mean = float(np.mean(values))
    if len(values) == 1:
        return Resampled(mean, None, None, None)
    sd = float(np.std(values, ddof=1))
    quantile = float(student.ppf((1 + LEVEL) / 2, len(values) - 1))
    reach = quantile * sd * math.sqrt(1 / len(values) + held_out / learned)
    least, most = ends or (-math.inf, math.inf)
    return Resampled(mean, sd, max(least, mean - reach), min(most, mean + reach))
