"""A schedule that runs by the clock: whatever the speed, it ends when the time does."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ulmfit.training.schedules import Schedule


@dataclass(frozen=True)
class Timed:
    """`schedule` with the time that has passed in the place of the steps that were taken.

    A budget of steps is planned from a measured speed, and a machine that turns out slower ends
    in the middle of its schedule, at a high rate: the worst place. This cannot.
    """

    schedule: Schedule
    begin: float
    """by `time.monotonic`"""
    end: float
    done: float = 0.0
    """share of the schedule that an earlier process has behind it"""
    ramp: float = 0.0
    """seconds in which the rate rises to the schedule's: after a cut the optimizer's moments are
    empty, and its first steps at a high rate would go anywhere"""

    def share(self) -> float:
        """Of the schedule, passed until now."""
        passed = (time.monotonic() - self.begin) / max(1e-9, self.end - self.begin)
        return self.done + (1 - self.done) * min(1.0, max(0.0, passed))

    def __call__(self, step: int, total: int, peak: float) -> float:
        """The rate now; `step` is not looked at."""
        rate = self.schedule(int(self.share() * (total - 1)), total, peak)
        return rate * min(1.0, (time.monotonic() - self.begin) / self.ramp) if self.ramp else rate
