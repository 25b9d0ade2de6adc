"""Floor 4: the figures of a run, as they come, in TensorBoard or MLflow."""

from ulmfit.tracking.following import track, track_again

__all__ = ["track", "track_again"]
