"""Floor 4: the figures of a run, as they come or afterwards, in TensorBoard or MLflow."""

from ulmfit.tracking.following import track, track_again
from ulmfit.tracking.sending import send

__all__ = ["send", "track", "track_again"]
