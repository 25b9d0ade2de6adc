"""The training loop: a generator of progress, and the only ``backward()`` in the house.

Logging, bars, saving, validation and early stopping are the caller's: it looks at each record
that `Loop.run` yields and stops taking them when it has had enough.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.training.layer_groups import Groups, Phase, set_thawed
from ulmfit.training.recorded import Recordable, RecordedSteps


@dataclass(frozen=True)
class Step:
    """After one optimizer step."""

    phase: str
    epoch: int
    """counted over all phases, from 0"""
    step: int
    """within the phase, from 1"""
    total: int
    """steps of the phase"""
    loss: float
    """the task's figure (nats), without regularisers"""
    rates: tuple[float, ...]
    """of the layer groups, lowest first"""
    tokens: int
    """in this step, padding left out"""
    seconds: float


@dataclass(frozen=True)
class EpochEnd:
    """After the last step of an epoch."""

    phase: str
    epoch: int
    loss: float
    """mean over the epoch's steps"""


class Task(Protocol):
    """What is trained: it knows its data and its loss, and no optimizer."""

    def steps(self, epoch: int) -> int:
        """Number of steps of an epoch."""

    def tokens(self, epoch: int) -> int:
        """Number of tokens of an epoch, padding left out."""

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches of an epoch from step `start` on; the same at every call."""

    def loss(self, batch: Any) -> tuple[Tensor, float, int, float]:
        """(loss to minimise, figure to report, tokens, factor on the rate)."""

    def start_epoch(self) -> None:
        """Forget what was carried from batch to batch."""

    def state(self) -> dict[str, Tensor]:
        """What is carried from batch to batch (hidden states)."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""


T = TypeVar("T", bound=Task)


@dataclass
class Position:
    """How far a run is."""

    phase: int = 0
    epoch: int = 0
    """within the phase"""
    step: int = 0
    """within the epoch"""
    loss_sum: float = 0.0
    """of the epoch's steps so far"""


class Loop(Generic[T]):
    """Trains `model` through `phases`; each phase begins with a fresh Adam, as the scripts do.

    Args:
        model: moved to `device` already.
        groups: the layer groups, lowest first; together all parameters.
        task: data and loss.
        phases: what learns when.
        betas: Adam's.
        weight_decay: added to the gradient (L2).
        clip: largest norm of all gradients together; 0 for none.
        device: where the model is.
        precision: "auto", "fp32" or "bf16".
        record: whether to record steps and replay them; None: on a GPU, where the task can.
    """

    def __init__(
        self,
        model: nn.Module,
        groups: Groups,
        task: T,
        phases: Sequence[Phase],
        *,
        betas: tuple[float, float] = (0.7, 0.99),
        weight_decay: float = 0.0,
        clip: float = 0.0,
        device: torch.device,
        precision: devices.Precision = "auto",
        record: bool | None = None,
    ) -> None:
        self.model = model
        self.groups = groups
        self.task = task
        self.phases = phases
        self.betas = betas
        self.weight_decay = weight_decay
        self.clip = clip
        self.device = device
        self.precision = precision
        self.record = devices.is_accelerator(device) if record is None else record
        self.position = Position()
        self.optimizer = self._new_optimizer()

    @property
    def records(self) -> bool:
        """Whether steps are recorded: the first few of each shape are then slow."""
        return self.record and self._recordable is not None

    @property
    def _recordable(self) -> Recordable | None:
        task: object = self.task
        return task if isinstance(task, Recordable) and task.recordable() else None

    def _new_optimizer(self) -> torch.optim.Adam:
        self._recorded: RecordedSteps | None = None  # recordings are of one optimizer
        return torch.optim.Adam(
            [{"params": list(group)} for group in self.groups],
            lr=0.0,
            betas=self.betas,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    def run(self) -> Generator[Step | EpochEnd, None, None]:
        """Train from where `position` stands to the end, yielding after each step and epoch."""
        at = self.position
        while at.phase < len(self.phases):
            phase = self.phases[at.phase]
            set_thawed(self.groups, phase.thawed)
            while at.epoch < phase.epochs:
                yield from self._epoch(phase)
            at.phase, at.epoch = at.phase + 1, 0
            self.optimizer = self._new_optimizer()

    def _epoch(self, phase: Phase) -> Iterator[Step | EpochEnd]:
        at = self.position
        before = sum(p.epochs for p in self.phases[: at.phase])
        steps = [self.task.steps(before + e) for e in range(phase.epochs)]
        if at.step == 0:
            self.task.start_epoch()
        self.model.train()
        epoch = before + at.epoch
        for batch in self.task.batches(epoch, at.step):
            step, total = sum(steps[: at.epoch]) + at.step, sum(steps)
            record = self._step(phase, epoch, step, total, batch)
            at.step, at.loss_sum = at.step + 1, at.loss_sum + record.loss
            yield record
        mean = at.loss_sum / max(1, at.step)
        at.epoch, at.step, at.loss_sum = at.epoch + 1, 0, 0.0
        yield EpochEnd(phase.name, epoch, mean)

    def _step(self, phase: Phase, epoch: int, step: int, total: int, batch: Any) -> Step:
        started = time.perf_counter()
        take = self._replay if self.records else self._take
        figure, tokens, rates = take(batch, phase.rates(step, total))
        seconds = time.perf_counter() - started
        return Step(phase.name, epoch, step + 1, total, figure, tuple(rates), tokens, seconds)

    def _take(self, batch: Any, scheduled: list[float]) -> tuple[float, int, list[float]]:
        """One step at the scheduled rates: (figure, tokens, rates)."""
        with devices.autocast(self.device, self.precision):
            loss, figure, tokens, factor = self.task.loss(batch)
        rates = [rate * factor for rate in scheduled]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._learn(loss)
        return figure, tokens, rates

    def _replay(self, batch: Any, scheduled: list[float]) -> tuple[float, int, list[float]]:
        """The same by a recording."""
        task = self._recordable
        assert task is not None
        if self._recorded is None:
            self._recorded = RecordedSteps(
                task, self.optimizer, self._learn, self.device, self.precision
            )
        tokens, factor = task.size(batch)
        rates = [rate * factor for rate in scheduled]
        return self._recorded.take(batch, rates), tokens, rates

    def _learn(self, loss: Tensor) -> None:
        """One step of the optimizer down the gradient of `loss`."""
        loss.backward()  # type: ignore[no-untyped-call]
        if self.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on from here to the same bytes: tensors and plain values."""
        return {
            "model": dict(self.model.state_dict()),
            "optimizer": self._optimizer_tensors(),
            "random": devices.random_state(self.device),
            "task": self.task.state(),
            "position": vars(self.position).copy(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; the arguments of the loop must be the same."""
        self.model.load_state_dict(state["model"])
        self.position = Position(**state["position"])
        self.optimizer = self._new_optimizer()
        self._load_optimizer(state["optimizer"])
        self.task.load_state(state["task"])
        devices.set_random_state(self.device, state["random"])

    def _optimizer_tensors(self) -> dict[str, Tensor]:
        numbered = self.optimizer.state_dict()["state"].items()
        return {f"{i}.{name}": value for i, entry in numbered for name, value in entry.items()}

    def _load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        full = self.optimizer.state_dict()
        entries: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            number, name = key.split(".")
            entries.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**full, "state": entries})
