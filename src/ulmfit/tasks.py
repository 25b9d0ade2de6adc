"""The classifier's task: tell the labels of documents; and what it says of them (floor 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.data.batches import Batch, pad, training_order
from ulmfit.data.stream import Ids
from ulmfit.model.heads import TextClassifier
from ulmfit.model.losses import Loss, cross_entropy
from ulmfit.reading import DocumentReader
from ulmfit.targets.answers import probabilities


def _to(array: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device, non_blocking=True)


@dataclass
class ClassifierTask:
    """Tell the labels of documents.

    `labels` (documents, ...) and `weights` (documents,) or (documents, classes) are what
    `objective` takes; weights None counts all alike.
    """

    model: TextClassifier
    documents: Sequence[Ids]
    labels: NDArray[Any]
    batch: int
    seed: int
    pad_id: int
    objective: Loss = field(default_factory=cross_entropy)
    weights: NDArray[np.float32] | None = None
    max_steps: int | None = None
    """batches of an epoch, for a time budget; None takes all"""

    def __post_init__(self) -> None:
        self._lengths = np.array([len(d) for d in self.documents], np.int64)
        self._vectors: NDArray[np.float32] | None = None

    def _order(self, epoch: int) -> list[Ids]:
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])
        return training_order(self._lengths, self.batch, seed)[: self.max_steps]

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""
        return len(self._order(epoch))

    def tokens(self, epoch: int) -> int:
        """Tokens of the documents of an epoch: of all, unless there are `max_steps`."""
        if self.max_steps is None:
            return int(self._lengths.sum())
        return sum(int(self._lengths[rows].sum()) for rows in self._order(epoch))

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """Batches of an epoch from `start` on."""
        for rows in self._order(epoch)[start:]:
            yield pad(self.documents, rows, self.pad_id)

    def loss(self, batch: Batch) -> tuple[Tensor, float, int, float]:
        """The objective, and the model's penalty on what it pooled."""
        device = next(self.model.parameters()).device
        penalty: Tensor | float = 0.0
        if (kept := self._fixed_vectors()) is None:
            vectors, penalty = self.model.read(
                *(_to(x, device) for x in (batch.ids, batch.lengths))
            )
        else:
            vectors = _to(kept[batch.rows], device)
        outputs = self.model.head(vectors)
        weights = None if self.weights is None else _to(self.weights[batch.rows], device)
        loss = self.objective(outputs, _to(self.labels[batch.rows], device), weights)
        return loss + penalty, loss.item(), int(batch.lengths.sum()), 1.0

    def _fixed_vectors(self) -> NDArray[np.float32] | None:
        """The documents' vectors while they stay as they are: one reading serves every epoch.

        That is so while the whole encoder is frozen and nothing of it is dropped. All are read
        at once, in one order, so that a resumed run finds the same bytes; under a time budget,
        whose epochs may never come to most documents, none are.
        """
        encoder = self.model.encoder
        learns = any(parameter.requires_grad for parameter in encoder.parameters())
        if learns or any(astuple(encoder.dropouts)) or self.max_steps is not None:
            self._vectors = None
        elif self._vectors is None:
            self._vectors = DocumentReader(self.model, self.pad_id).vectors(self.documents)
        return self._vectors

    def start_epoch(self) -> None:
        """Nothing is carried from batch to batch."""

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch: vectors that are kept can be read again."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Nothing is carried from batch to batch."""


def classify_documents(
    model: TextClassifier,
    documents: Sequence[Ids],
    pad_id: int,
    precision: devices.Precision = "fp32",
) -> NDArray[np.float64]:
    """Probabilities (documents, classes) of one class a document, in the order given."""
    return probabilities(document_logits(model, documents, pad_id, precision)[:, None], "single")


def document_logits(
    model: TextClassifier,
    documents: Sequence[Ids],
    pad_id: int,
    precision: devices.Precision = "fp32",
) -> NDArray[np.float64]:
    """The head's outputs (documents, outputs) in the order given, whatever the batching."""
    return DocumentReader(model, pad_id, precision).logits(documents)


def classifier_groups(model: TextClassifier) -> list[list[nn.Parameter]]:
    """The embedding, each LSTM layer, the head."""
    layers: list[Any] = [list(layer.parameters()) for layer in model.encoder.layers]
    return [[model.encoder.embedding], *layers, list(model.head.parameters())]


def group_names(stage: str, groups: int) -> list[str]:
    """What the layer groups of a stage ("classifier, forward", "finetune") are called.

    Lowest first, as `classifier_groups` and `language_model_groups` have them.
    """
    if stage.startswith("classifier"):
        return ["embedding", *(f"LSTM {i + 1}" for i in range(groups - 2)), "head"]
    return [*(f"LSTM {i + 1}" for i in range(groups - 1)), "embedding, decoder"]
