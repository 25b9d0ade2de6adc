"""Step -> learning rate, as pure functions of (step, total, peak, ...).

Every schedule takes ``step`` in [0, total) and gives the rate to use for that step.
"""

from __future__ import annotations

from functools import partial
from math import cos, floor, pi
from typing import Protocol


class Schedule(Protocol):
    """A rate for a step of a phase."""

    def __call__(self, step: int, total: int, peak: float) -> float:
        """The rate at `step` of `total`, whose largest is `peak`."""


def constant(step: int, total: int, peak: float) -> float:
    """Always `peak`."""
    return peak


def slanted_triangular(
    step: int, total: int, peak: float, cut_frac: float = 0.1, ratio: float = 32
) -> float:
    """A short rise, a long fall (v2, sec. 3.2, eq. 3).

    The paper divides the fall by ``cut (1/cut_frac - 1)``, which is ``T - cut`` as used here
    (and in the scripts) where ``T cut_frac`` is whole; elsewhere, as the cut is rounded down,
    its rates would fall below the lowest, for a short phase below 0.

    Args:
        step: t.
        total: T.
        peak: eta_max, reached at step ``floor(T cut_frac)``.
        cut_frac: share of the steps that rise.
        ratio: how much smaller the lowest rate is than the peak.
    """
    cut = floor(total * cut_frac)
    p = step / cut if step < cut else 1 - (step - cut) / max(1, total - cut)
    return peak * (1 + p * (ratio - 1)) / ratio


def slanted_triangular_fastai(
    step: int, total: int, peak: float, ratio: float = 32, cut: float = 10
) -> float:
    """The released scripts' ``use_clr=(ratio, cut)``: the peak at ``total / cut`` steps."""
    return slanted_triangular(step, total, peak, 1 / cut, ratio)


def cosine(step: int, total: int, peak: float, lowest: float = 0.0) -> float:
    """From `peak` to `lowest` along half a cosine (v1, eq. 1)."""
    return lowest + (peak - lowest) * (1 + cos(pi * step / total)) / 2


def reverse_annealing(step: int, total: int, peak: float, lowest: float = 0.0) -> float:
    """v1's warm-up: the cosine backwards, from `lowest` up to `peak` at the last step."""
    return cosine(total - 1 - step, max(total - 1, 1), peak, lowest)


def one_cycle(
    step: int, total: int, peak: float, rise: float = 0.25, start: float = 25, end: float = 1e5
) -> float:
    """Cosine up from ``peak/start``, cosine down to ``peak/end`` (Smith 2018, as in fastai)."""
    cut = max(1, floor(total * rise))
    if step < cut:
        return peak / start + (peak - peak / start) * (1 - cos(pi * step / cut)) / 2
    return cosine(step - cut, max(1, total - cut), peak, peak / end)


def discriminative(peak: float, groups: int, factor: float) -> list[float]:
    """Peaks for layer groups, lowest first: each lower one is the next divided by `factor`.

    v2, sec. 3.2: factor 2.6. v1 multiplies by 0.3, a factor of 1/0.3.
    """
    return [peak / factor ** (groups - 1 - i) for i in range(groups)]


SCHEDULES: dict[str, Schedule] = {
    "slanted_triangular": slanted_triangular,
    "scripts_lm": partial(slanted_triangular_fastai, ratio=32, cut=10),
    "scripts_stages": partial(slanted_triangular_fastai, ratio=8, cut=3),
    "scripts_last": partial(slanted_triangular_fastai, ratio=8, cut=8),
    "cosine": cosine,
    "reverse_annealing": reverse_annealing,
    "one_cycle": one_cycle,
    "constant": constant,
}
