"""Progress where stderr is no terminal: plain lines, about one in ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from ulmfit.cli.pace import Standing
from ulmfit.training.loop import Step
from ulmfit.wording import duration

SECONDS = 10.0  # between lines


class Lines:
    """Prints to stderr.

    Args:
        clock: seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = clock()
        self._what = ""
        self._began = self._told
        self._first = 0

    def open(self) -> None:
        """Nothing to set up."""

    def close(self) -> None:
        """Nothing to put away."""

    def say(self, line: str) -> None:
        """A line at once."""
        print(line, file=sys.stderr, flush=True)

    def step(self, step: Step, standing: Standing) -> None:
        """A step of a loop."""
        if self._is_time():
            self.say(
                f"  step {standing.done:,} of {standing.total:,} (epoch {step.epoch + 1}), "
                f"loss {step.loss:.4f}, {standing.tokens_per_second:,.0f} tokens/s, "
                f"{duration(standing.seconds_left)} left"
            )

    def count(self, what: str, done: int, total: int | None, unit: str) -> None:
        """So much of something is done."""
        if what != self._what:
            self._what, self._began, self._first = what, self._clock(), done
        if not self._is_time():
            return
        rate = (done - self._first) / max(self._clock() - self._began, 1e-9)
        of = f" of {total:,}" if total else ""
        left = f", {duration((total - done) / rate)} left" if total and rate > 0 else ""
        self.say(f"  {what}: {done:,}{of} {unit}, {rate:,.0f} {unit}/s{left}")

    def rest(self) -> None:
        """What was going on is over."""
        self._what = ""

    def _is_time(self) -> bool:
        now = self._clock()
        if now - self._told < SECONDS:
            return False
        self._told = now
        return True
