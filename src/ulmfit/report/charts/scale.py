"""From values to places on paper, and the round values to write at an axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """`low` to `high` stretched over `begin` to `end`."""

    low: float
    high: float
    begin: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Where `value` is drawn."""
        low, high = self._line(self.low), self._line(self.high)
        share = (self._line(value) - low) / (high - low) if high > low else 0.5
        return self.begin + share * (self.end - self.begin)

    def _line(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, most: int = 6) -> list[float]:
        """At most so many round values within."""
        return _decades(self.low, self.high, most) if self.log else _steps(self, most)

    def plain(self, most: int = 6) -> Callable[[float], str]:
        """Writes the ticks with as many decimals as these need, the same for all."""
        step = round_step((self.high - self.low) / max(1, most - 1))
        decimals = max(0, -math.floor(math.log10(step)))
        return lambda value: f"{value:,.{decimals}f}".replace("-", "−")


def _steps(scale: Scale, most: int) -> list[float]:
    step = round_step((scale.high - scale.low) / max(1, most - 1))
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... that is not below `least`.

    >>> round_step(0.23)
    0.5
    """
    if least <= 0 or not math.isfinite(least):
        return 1.0
    decade = 10.0 ** math.floor(math.log10(least))
    return next(decade * k for k in (1, 2, 5, 10) if decade * k >= least * (1 - 1e-9))


def _decades(low: float, high: float, most: int) -> list[float]:
    """1, 3, 10, 30, ... or only the tens where those are enough."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [f * 10.0**e for e in exponents for f in factors]
        within = [v for v in found if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(within) <= most:
            return within
    return within[:: math.ceil(len(within) / most)]


def widened(values: list[float], log: bool = False) -> tuple[float, float]:
    """The range of the values with a little air; never empty."""
    known = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    if not known:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = min(known), max(known)
    if log:
        return (low / 1.3, high * 1.3)
    air = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return low - air, high + air
