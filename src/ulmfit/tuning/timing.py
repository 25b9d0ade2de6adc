"""Whether the time that is left pays for a trial; and its events, but for those that chatter."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TypeVar

from ulmfit.pipeline import Event, Texts
from ulmfit.run import Plan
from ulmfit.training.loop import Step

OVERHEAD = 1.1  # of what a plan expects: validation and checkpoints
Result = TypeVar("Result")


class OutOfTime(Exception):
    """The time budget does not pay for this trial; the next call takes it up."""


class TimeLeft:
    """A time budget, from its first second on.

    Args:
        minutes: of all; None for no end.
        clock: seconds, rising; None for the system's.
    """

    def __init__(self, minutes: float | None, clock: Callable[[], float] | None = None) -> None:
        self.minutes = minutes
        self._clock = clock or time.monotonic
        self._end = None if minutes is None else self._clock() + 60 * minutes

    def spend(self, seconds: float) -> None:
        """Raise OutOfTime unless so many seconds are left."""
        if self._end is None or self._clock() + seconds <= self._end:
            return
        needed = f", and a trial takes about {seconds / 60:.1f} minutes more" if seconds else ""
        raise OutOfTime(
            f"--time-budget {self.minutes:g}: the time is over{needed}; the same call again, "
            "with a larger one or without, goes on"
        )


def quietly(
    events: Generator[Event, None, Result], left: TimeLeft, runs: int
) -> Generator[Event, None, Result]:
    """The steps of a trial, no plans and no epochs; what does not fit into the time is not begun.

    Args:
        events: of the trial, or of one of its folds.
        left: the time.
        runs: classifiers that are still to be trained in this trial, as long each.

    Raises:
        OutOfTime: a classifier's plan says so, or the time is over.
    """
    try:
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(event, Plan) and event.stage.startswith("classifier"):
                left.spend(event.seconds * OVERHEAD * runs)
                runs -= 1
            left.spend(0.0)
            if isinstance(event, Step | Texts):
                yield event
    finally:
        events.close()
