"""Floor 4: the search for good settings, on the labelled rows themselves."""

from ulmfit.tuning.outcome import Trial, Tuned, TuneOptions
from ulmfit.tuning.searching import tune

__all__ = ["Trial", "TuneOptions", "Tuned", "tune"]
