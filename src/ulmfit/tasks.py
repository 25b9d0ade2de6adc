"""What the loop trains: a model with its data and its loss (floor 2; `data` meets `model`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.data.batches import Batch, inference_order, pad, training_order
from ulmfit.data.stream import BPTTStream, Documents, Ids, Window
from ulmfit.model.heads import LanguageModel, TextClassifier
from ulmfit.model.losses import Loss, cross_entropy
from ulmfit.targets.answers import probabilities

EVALUATION_ROWS = 32
INFERENCE_TOKENS = 16_384  # padded positions in a batch of inference


def _to(array: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device, non_blocking=True)


@dataclass
class LanguageModelTask:
    """Predict the next word of a stream of shuffled documents.

    `max_steps` caps the windows of an epoch (a budget); the rest of the stream is left out.
    """

    model: LanguageModel
    corpus: Corpus
    order: NDArray[np.int64]
    """the training documents"""
    batch: int
    bptt: int
    seed: int
    backward: bool = False
    variable: bool = True
    max_steps: int | None = None

    def __post_init__(self) -> None:
        self._states = self.model.encoder.initial_states(self.batch)

    def _stream(self, epoch: int) -> BPTTStream:
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])
        order = np.random.default_rng(seed).permutation(self.order)
        documents = self.corpus.documents(order, self.backward)
        return BPTTStream(documents, self.batch, self.bptt, seed, self.variable)

    def steps(self, epoch: int) -> int:
        """Windows of an epoch."""
        count = len(self._stream(epoch))
        return min(count, self.max_steps) if self.max_steps else count

    def tokens(self, epoch: int) -> int:
        """Tokens of an epoch."""
        borders = self._stream(epoch).borders
        return int(borders[self.steps(epoch)]) * self.batch

    def batches(self, epoch: int, start: int) -> Iterator[Window]:
        """Windows of an epoch from `start` on."""
        stop = self.steps(epoch)
        for number, window in enumerate(self._stream(epoch).windows(start), start):
            if number >= stop:
                return
            yield window

    def loss(self, batch: Window) -> tuple[Tensor, float, int, float]:
        """The rate is scaled with the window's length (Merity et al. 2017, sec. 5)."""
        device = self.model.decoder_bias.device
        ids, targets = _to(batch.ids, device), _to(batch.targets, device)
        loss, nats, self._states = self.model.loss(ids, targets, self._states)
        factor = len(ids) / self.bptt if self.variable else 1.0
        return loss, nats.item(), ids.numel(), factor

    def start_epoch(self) -> None:
        """Documents begin with empty states."""
        self._states = self.model.encoder.initial_states(self.batch)

    def state(self) -> dict[str, Tensor]:
        """The hidden states, detached."""
        pairs = {
            f"{i}{n}": t for i, s in enumerate(self._states) for n, t in zip("hc", s, strict=True)
        }
        return {name: tensor.detach() for name, tensor in pairs.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""
        device = self.model.decoder_bias.device
        count = len(state) // 2
        self._states = [tuple(state[f"{i}{n}"].to(device) for n in "hc") for i in range(count)]  # type: ignore[misc]


def stream_nats(
    model: LanguageModel,
    documents: Documents,
    precision: devices.Precision,
    bptt: int = 70,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[float, int]:
    """(sum of nats, tokens predicted) over all tokens of a stream but its first.

    The stream is read in `EVALUATION_ROWS` rows (fewer for a short one), each from an empty
    state; what is left over at the end is read as one more row.
    """
    rows = max(1, min(EVALUATION_ROWS, (len(documents) - 1) // bptt))
    stream = BPTTStream(documents, rows, bptt, seed=0, variable=False)
    device = model.decoder_bias.device
    total, count = 0.0, 0
    with devices.evaluating(model), devices.autocast(device, precision):
        states = model.encoder.initial_states(rows)
        for window in stream.windows():
            ids, targets = _to(window.ids, device), _to(window.targets, device)
            nats, states = model.nats(ids, targets, states)
            total, count = total + nats.double().sum().item(), count + nats.numel()
            progress(count, len(documents) - 1)
        rest = documents.read(rows * stream.row_length, len(documents))
        if len(rest) > 1:
            tail = _to(rest, device)[:, None]
            nats, _ = model.nats(tail[:-1], tail[1:], model.encoder.initial_states(1))
            total, count = total + nats.double().sum().item(), count + nats.numel()
    return total, count


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

    def __post_init__(self) -> None:
        self._lengths = np.array([len(d) for d in self.documents], np.int64)

    def _order(self, epoch: int) -> list[Ids]:
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])
        return training_order(self._lengths, self.batch, seed)

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""
        return len(self._order(epoch))

    def tokens(self, epoch: int) -> int:
        """Tokens of all documents."""
        return int(self._lengths.sum())

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """Batches of an epoch from `start` on."""
        for rows in self._order(epoch)[start:]:
            yield pad(self.documents, rows, self.pad_id)

    def loss(self, batch: Batch) -> tuple[Tensor, float, int, float]:
        """The objective."""
        device = next(self.model.parameters()).device
        outputs = self.model(_to(batch.ids, device), _to(batch.lengths, device))
        weights = None if self.weights is None else _to(self.weights[batch.rows], device)
        loss = self.objective(outputs, _to(self.labels[batch.rows], device), weights)
        return loss, loss.item(), int(batch.lengths.sum()), 1.0

    def start_epoch(self) -> None:
        """Nothing is carried from batch to batch."""

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
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
    result = np.empty((len(documents), model.head.linear2.out_features))

    def keep(rows: Ids, pooled: Tensor) -> None:
        result[rows] = model.head(pooled).double().cpu().numpy()

    _pool(model, documents, pad_id, precision, keep)
    return result


def pool_documents(
    model: TextClassifier,
    documents: Sequence[Ids],
    pad_id: int,
    precision: devices.Precision = "fp32",
) -> NDArray[np.float32]:
    """What the head is given: (documents, 3 embedding), in the order given."""
    result = np.empty((len(documents), 3 * model.encoder.architecture.embedding), np.float32)

    def keep(rows: Ids, pooled: Tensor) -> None:
        result[rows] = pooled.float().cpu().numpy()

    _pool(model, documents, pad_id, precision, keep)
    return result


def _pool(
    model: TextClassifier,
    documents: Sequence[Ids],
    pad_id: int,
    precision: devices.Precision,
    take: Callable[[Ids, Tensor], None],
) -> None:
    """Call `take` with the numbers and the vectors of documents, a batch of like lengths a time."""
    lengths = np.array([len(d) for d in documents], np.int64)
    device = next(model.parameters()).device
    with devices.evaluating(model), devices.autocast(device, precision):
        for rows in inference_order(lengths, INFERENCE_TOKENS):
            batch = pad(documents, rows, pad_id)
            take(rows, model.pool(_to(batch.ids, device), _to(batch.lengths, device)))


def language_model_groups(model: LanguageModel) -> list[list[nn.Parameter]]:
    """Each LSTM layer, lowest first, then the embedding, which is the decoder too."""
    layers = [list(layer.parameters()) for layer in model.encoder.layers]
    return [*layers, [model.encoder.embedding, model.decoder_bias]]


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
