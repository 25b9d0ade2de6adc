"""How fast a loop goes and how long it still takes, from the steps seen so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ulmfit.run import Plan
from ulmfit.training.loop import Step

WINDOW = 50  # steps whose mean is the pace


@dataclass(frozen=True)
class Standing:
    """Where a loop stands after a step."""

    done: int
    total: int
    """steps; of the phase only where no plan was seen, as in a resumed run"""
    tokens_per_second: float
    seconds_left: float


class Pace:
    """Follows one loop; begin a new one for the next.

    Args:
        plan: of the loop, if it was told.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self._plan = plan
        self._recent: deque[Step] = deque(maxlen=WINDOW)
        self._before = 0  # steps of the phases that are over
        self._last: Step | None = None

    def step(self, step: Step) -> Standing:
        """Take the next step into account."""
        last = self._last
        if last is not None and (step.phase != last.phase or step.step <= last.step):
            self._before += last.total
            self._recent.clear()  # a phase with more thawed layers has another pace
        self._last = step
        self._recent.append(step)
        seconds = sum(s.seconds for s in self._recent)
        tokens = sum(s.tokens for s in self._recent)
        done = self._before + step.step
        left = (step.total - step.step) * seconds / len(self._recent)
        if self._plan is None:
            return Standing(step.step, step.total, tokens / max(seconds, 1e-9), left)
        total = max(self._plan.steps, self._before + step.total)
        later = total - self._before - step.total
        left += later * self._plan.seconds / max(1, self._plan.steps)
        return Standing(done, total, tokens / max(seconds, 1e-9), left)
