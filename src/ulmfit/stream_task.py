"""The language model's task: predict the next word of a stream; and how well it does (floor 2)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.data.stream import BPTTStream, Documents, Ids, Window
from ulmfit.model.heads import LanguageModel
from ulmfit.model.lstm_paths import State
from ulmfit.resident import ResidentCorpus, ResidentWindow, resident_windows

EVALUATION_ROWS = 32
AnyWindow = Window | ResidentWindow


def _to(ids: Ids | Tensor, device: torch.device) -> Tensor:
    if isinstance(ids, Tensor):
        return ids.to(device, torch.int64)
    return torch.from_numpy(ids).to(device, non_blocking=True)


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
    multiple: int = 1
    """of which windows' varied lengths are; larger where each length is recorded apart"""
    resident: ResidentCorpus | None = None
    """the corpus again, where the device holds it"""

    def __post_init__(self) -> None:
        self._states = self.model.encoder.initial_states(self.batch)
        self._held: list[State] = []  # where recorded steps find the states
        self._windows: dict[int, tuple[Tensor, Tensor]] = {}  # and windows of each length

    def _plan(self, epoch: int) -> tuple[BPTTStream, NDArray[np.int64]]:
        """How the epoch's stream is cut, and the order of its documents."""
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0])
        order = np.random.default_rng(seed).permutation(self.order)
        documents = self.corpus.documents(order, self.backward)
        plan = BPTTStream(documents, self.batch, self.bptt, seed, self.variable, self.multiple)
        return plan, order

    def steps(self, epoch: int) -> int:
        """Windows of an epoch."""
        count = len(self._plan(epoch)[0])
        return min(count, self.max_steps) if self.max_steps else count

    def tokens(self, epoch: int) -> int:
        """Tokens of an epoch."""
        borders = self._plan(epoch)[0].borders
        return int(borders[self.steps(epoch)]) * self.batch

    def batches(self, epoch: int, start: int) -> Iterator[AnyWindow]:
        """Windows of an epoch from `start` on."""
        stop = self.steps(epoch)
        for number, window in enumerate(self._cut(epoch, start), start):
            if number >= stop:
                return
            yield window

    def _cut(self, epoch: int, start: int) -> Iterator[AnyWindow]:
        plan, order = self._plan(epoch)
        if self.resident is None:
            return plan.windows(start)
        stream = self.resident.stream(order, self.backward)
        return resident_windows(stream, plan, self.batch, start)

    def loss(self, batch: AnyWindow) -> tuple[Tensor, float, int, float]:
        """The rate is scaled with the window's length (Merity et al. 2017, sec. 5)."""
        device = self.model.decoder_bias.device
        ids, targets = _to(batch.ids, device), _to(batch.targets, device)
        loss, nats, self._states = self.model.loss(ids, targets, self._states)
        return loss, nats.item(), *self.size(batch)

    def size(self, batch: AnyWindow) -> tuple[int, float]:
        """(tokens, factor on the rate)."""
        time, rows = batch.ids.shape
        return time * rows, time / self.bptt if self.variable else 1.0

    def recordable(self) -> bool:
        """A sampled softmax draws its words on the host."""
        return not self.model.samples

    def shape(self, batch: AnyWindow) -> int:
        """Steps of a window; the rows are always as many."""
        return len(batch.ids)

    def load(self, batch: AnyWindow) -> None:
        """Copy a window, and the states if they are new, to where a recorded step reads them."""
        device = self.model.decoder_bias.device
        if len(batch.ids) not in self._windows:
            empty = torch.empty(batch.ids.shape, dtype=torch.int64, device=device)
            self._windows[len(batch.ids)] = empty, empty.clone()
        ids, targets = self._windows[len(batch.ids)]
        for place, values in ((ids, batch.ids), (targets, batch.targets)):
            place.copy_(values if isinstance(values, Tensor) else torch.from_numpy(values))
        if not self._held:
            self._held = [(h.clone(), c.clone()) for h, c in self._states]
        self._hold(self._states)

    def _hold(self, states: list[State]) -> None:
        if states is not self._held:
            for held, state in zip(self._held, states, strict=True):
                for place, values in zip(held, state, strict=True):
                    place.copy_(values.detach())
        self._states = self._held

    def loss_in_place(self, shape: Hashable) -> tuple[Tensor, Tensor, Callable[[], None]]:
        """The loss of the window of so many steps that was loaded, its nats, and what is last."""
        assert isinstance(shape, int)
        loss, nats, states = self.model.loss(*self._windows[shape], self._held)
        return loss, nats, lambda: self._hold(states)

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


def language_model_groups(model: LanguageModel) -> list[list[nn.Parameter]]:
    """Each LSTM layer, lowest first, then the embedding, which is the decoder too."""
    layers = [list(layer.parameters()) for layer in model.encoder.layers]
    return [*layers, [model.encoder.embedding, model.decoder_bias]]
