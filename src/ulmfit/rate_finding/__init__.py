"""Floor 4: the learning-rate range test on a user's data, and its picture."""

from ulmfit.rate_finding.plotting import plot
from ulmfit.rate_finding.sweeping import FoundRate, RateOptions, find_rate

__all__ = ["FoundRate", "RateOptions", "find_rate", "plot"]
