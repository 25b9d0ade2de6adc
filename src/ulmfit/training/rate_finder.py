"""The learning-rate range test: a short run whose rate rises until the loss breaks.

Smith 2017, "Cyclical Learning Rates for Training Neural Networks", sec. 3.3.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.training.layer_groups import Phase
from ulmfit.training.loop import EpochEnd, Loop, Position, Step, T

LOWEST, HIGHEST = 1e-5, 1.0  # two decades and more on either side of every preset's peak
STEPS = 100
BROKEN = 4.0  # times the lowest loss: stop (Gugger 2018, as fastai's `lr_find`)
DECADES = 0.25  # standard deviation of the smoothing, in powers of ten of the rate
MARGIN = 10.0  # "one order of magnitude before the minimum" (Gugger 2018)


@dataclass(frozen=True)
class RateCurve:
    """Loss against rate, in the order of the steps."""

    phase: str
    rates: tuple[float, ...]
    """the largest among the layer groups: what presets call `peak`"""
    losses: tuple[float, ...]
    """of single batches, each before the step with its rate; the last may not be finite"""
    smoothed: tuple[float, ...]
    """`losses` under a Gaussian of `DECADES` along the logarithm of the rate"""

    @property
    def lowest(self) -> float | None:
        """The rate at which the smoothed loss is lowest; None where it never fell."""
        at = int(np.argmin(self.smoothed))
        return self.rates[at] if at > 0 else None

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss falls fastest; None where it never fell."""
        if self.lowest is None:
            return None
        slopes = np.gradient(np.array(self.smoothed), np.log10(self.rates))
        return self.rates[int(np.argmin(slopes[: int(np.argmin(self.smoothed)) + 1]))]

    @property
    def suggestion(self) -> float | None:
        """A peak to train with: a tenth of the rate at which the loss is lowest.

        Gugger 2018, "How do you find a good learning rate": at the minimum itself the loss is
        about to break. None where the loss never fell.
        """
        return None if self.lowest is None else self.lowest / MARGIN


def find_rate(
    loop: Loop[T],
    *,
    phase: str | None = None,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
) -> Generator[Step, None, RateCurve]:
    """Train for a few steps under a rate that rises from `lowest` to `highest`, then undo them.

    The rate grows by the same factor each step; the layer groups keep the proportions of their
    peaks. It stops early where the loss is `BROKEN` times its lowest or no number. However it
    ends, the model, the optimizer, the random states, the task and the place in the schedule
    are what they were, to the bit.

    Args:
        loop: at the state to test; its phases say which groups learn, and their proportions.
        phase: the name of the phase whose groups learn; None for the last.
        lowest: the first rate.
        highest: the last one.
        steps: how many, both ends among them.

    Yields:
        Each step, as `Loop.run` does.

    Raises:
        InputError: no such phase, rates out of order, or fewer than 10 steps.
    """
    check_sweep(loop.phases, phase, lowest, highest, steps)
    chosen = _phase(loop.phases, phase)
    sweep = _sweep(loop, chosen, lowest, highest, steps)
    taken: list[Step] = []
    with _undone(loop):
        loop.phases, loop.position = [sweep], Position()
        for record in loop.run():
            if isinstance(record, EpochEnd):
                continue
            taken.append(record)
            yield record
            if len(taken) == steps or _is_broken([step.loss for step in taken]):
                break
    ratio = (highest / lowest) ** (1 / (steps - 1))
    rates = tuple(lowest * ratio**i for i in range(len(taken)))
    losses = tuple(step.loss for step in taken)
    return RateCurve(chosen.name, rates, losses, _smoothed(rates, losses))


def check_sweep(
    phases: Sequence[Phase], phase: str | None, lowest: float, highest: float, steps: int
) -> None:
    """Refuse now what `find_rate` would on a loop of these phases.

    Raises:
        InputError: as `find_rate`.
    """
    _phase(phases, phase)
    if not 0 < lowest < highest < inf:
        raise InputError(
            f"rates from {lowest:g} to {highest:g}: the first must be above 0 and the last larger"
        )
    if steps < 10:
        raise InputError(f"{steps} steps: at least 10 are needed to see where the loss falls")


def _phase(phases: Sequence[Phase], name: str | None) -> Phase:
    if name is None:
        return phases[-1]
    named = [phase for phase in phases if phase.name == name]
    if not named:
        names = ", ".join(repr(phase.name) for phase in phases)
        raise InputError(f"phase {name!r}: there is none of that name, only {names}")
    return named[-1]


def _sweep(loop: Loop[T], phase: Phase, lowest: float, highest: float, steps: int) -> Phase:
    """One phase of enough epochs for `steps`, whose rate grows by the same factor each step."""
    largest = max(phase.peaks[group] for group in phase.thawed)
    peaks = tuple(peak / largest for peak in phase.peaks)
    epochs, covered = 0, 0
    while covered < steps:
        covered += max(1, loop.task.steps(epochs))
        epochs += 1

    def rising(step: int, total: int, peak: float) -> float:
        share: float = (highest / lowest) ** (step / (steps - 1))
        return peak * lowest * share

    return replace(phase, epochs=epochs, peaks=peaks, schedule=rising)


def _is_broken(losses: Sequence[float]) -> bool:
    """Whether the last loss is no number, or the mean of the last three is far above the best."""
    if not isfinite(losses[-1]):
        return True
    means = np.convolve(losses, np.ones(3) / 3, mode="valid") if len(losses) > 2 else losses
    return bool(means[-1] > BROKEN * min(means))


def _smoothed(rates: Sequence[float], losses: Sequence[float]) -> tuple[float, ...]:
    """Neighbours on both sides weigh alike, so that the curve is not pushed to higher rates.

    (An exponential mean over the steps before lags: over 100 steps by more than a decade.)
    """
    finite = np.isfinite(losses)
    if not finite.any():
        return tuple(losses)
    at, values = np.log10(rates), np.where(finite, losses, 0.0)
    distances: NDArray[np.float64] = at[:, None] - at[None, :]
    weights = np.exp(-0.5 * (distances / DECADES) ** 2) * finite
    return tuple((weights @ values / weights.sum(1)).tolist())


@contextmanager
def _undone(loop: Loop[T]) -> Iterator[None]:
    """Whatever is done to `loop` inside is undone after, in an error or an interrupt too."""
    state: dict[str, Any] = deepcopy(loop.state())
    phases, training = loop.phases, loop.model.training
    learned = [(p, p.requires_grad) for group in loop.groups for p in group]
    try:
        yield
    finally:
        loop.phases = phases
        loop.load_state(state)
        loop.optimizer.zero_grad()
        loop.model.train(training)
        for parameter, learns in learned:
            parameter.requires_grad_(learns)
