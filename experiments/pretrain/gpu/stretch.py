"""What a stretch of training comes to: the points of a learning curve, the lines of a log."""

from __future__ import annotations

import time

from ulmfit.training.loop import Step


class Stretch:
    """Steps in a row: their tokens, their mean loss, and the time since they began."""

    def __init__(self) -> None:
        self.tokens = 0
        self._nats = 0.0
        self._steps = 0
        self._began = time.monotonic()

    def add(self, step: Step) -> None:
        """One more."""
        self.tokens += step.tokens
        self._nats += step.loss
        self._steps += 1

    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def mean(self) -> float:
        """Nats a token."""
        return self._nats / max(1, self._steps)
