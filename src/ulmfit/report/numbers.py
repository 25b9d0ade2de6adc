"""Figures as the report writes them."""

from __future__ import annotations

import math


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as a percentage: 0.894 is "89.4%"."""
    if share is None or not math.isfinite(share):
        return "–"
    return f"{100 * share:.{digits}f}%"


def interval(low: float, high: float) -> str:
    """Two shares as a range of percentages: "86.4 to 91.8%"."""
    return f"{100 * low:.1f} to {100 * high:.1f}%"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, signed: "+4.2"."""
    return signed(100 * difference, 1)


def signed(value: float, digits: int) -> str:
    """With a sign in front, the true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def figure(value: float | None, digits: int = 3) -> str:
    """A plain figure with so many significant digits: 0.2689, 4.4, 1,250."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 8)}f}".replace("-", "−")


def signed_figure(value: float, digits: int = 3) -> str:
    """As `figure`, with a sign in front: "+0.0123", "−1,250"."""
    return "+" * (value > 0) + figure(value, digits)


def whole(number: int) -> str:
    """A count: "5,452"."""
    return f"{number:,}"


def plural(number: int, one: str, several: str | None = None) -> str:
    """A count with its noun: "1 row", "2 rows"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
