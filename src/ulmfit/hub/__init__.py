"""Floor 4: models on the Hugging Face hub, and `datasets` objects as input and output."""

from ulmfit.hub.objects import predict_dataset, saved
from ulmfit.hub.sharing import pull, push

__all__ = ["predict_dataset", "pull", "push", "saved"]
