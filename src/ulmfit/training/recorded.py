"""Optimizer steps that are recorded once for each shape of batch and then launched as one.

Why it is fast: see `device.Recorder`. On a GPU the whole step is in the recording: forward, loss,
backward, clipping and the optimizer; a step then costs the host three launches. The first steps
of each shape are taken as they are, because libraries set themselves up in them; so a shape that
is rare is never recorded, and numbers do not depend on what was.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ulmfit import device as devices

WARM_UP = 2  # steps of a shape before it is recorded: kernels are compiled and chosen in them


class NotRecorded(UserWarning):
    """A recording was refused; from here on steps are taken one by one, slower."""


@runtime_checkable
class Recordable(Protocol):
    """A task whose step can find all its tensors in the same places each time."""

    def recordable(self) -> bool:
        """Whether its loss never waits for the device nor draws on the host."""

    def shape(self, batch: Any) -> Hashable:
        """What must agree for two batches to share a recording."""

    def size(self, batch: Any) -> tuple[int, float]:
        """(tokens, factor on the rate) of a batch, as `Task.loss` tells them."""

    def load(self, batch: Any) -> None:
        """Copy a batch to where `loss_in_place` of its shape reads it."""

    def loss_in_place(self, shape: Hashable) -> tuple[Tensor, Tensor, Callable[[], None]]:
        """(loss to minimise, figure to report, what to call after the backward pass)."""


class RecordedSteps:
    """Takes the steps of one optimizer.

    Args:
        task: data and loss.
        optimizer: its rates become tensors on the device, so that a recording reads them.
        learn: one step of the optimizer down the gradient of a loss.
        device: where the model is.
        precision: of the products.
    """

    def __init__(
        self,
        task: Recordable,
        optimizer: torch.optim.Optimizer,
        learn: Callable[[Tensor], None],
        device: torch.device,
        precision: devices.Precision,
    ) -> None:
        self._task = task
        self._optimizer = optimizer
        self._learn = learn
        self._device = device
        self._precision = precision
        self._recorder = devices.Recorder(device)
        self._seen: Counter[Hashable] = Counter()
        self._replays: dict[Hashable, Callable[[], None]] = {}
        self._failed = False
        self._figure = torch.zeros((), device=device)
        for group in optimizer.param_groups:
            group["lr"] = torch.zeros((), device=device)

    def take(self, batch: Any, rates: Sequence[float]) -> float:
        """One step on `batch` at the rates of the layer groups; the task's figure."""
        shape = self._task.shape(batch)
        self._task.load(batch)
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"].fill_(rate)
        self._seen[shape] += 1
        if shape not in self._replays and self._seen[shape] > WARM_UP and not self._failed:
            self._record(shape)
        if shape in self._replays:
            self._replays[shape]()
        elif self._failed:
            self._step(shape)
        else:
            self._recorder.call(lambda: self._step(shape))
        return self._figure.item()

    def _step(self, shape: Hashable) -> None:
        with devices.autocast(self._device, self._precision):
            loss, figure, keep = self._task.loss_in_place(shape)
        self._learn(loss)
        keep()
        self._figure.copy_(figure)

    def _record(self, shape: Hashable) -> None:
        groups = self._optimizer.param_groups
        for group in groups:
            group["capturable"] = True  # torch asks for the mark; the fused kernel needs nothing
        try:
            self._replays[shape] = self._recorder.record(lambda: self._step(shape))
        except RuntimeError as error:
            self._failed = True
            self._optimizer.zero_grad()
            told = f"steps cannot be recorded here ({error}): slower"
            warnings.warn(told, NotRecorded, stacklevel=2)
        finally:
            for group in groups:
                group["capturable"] = False
