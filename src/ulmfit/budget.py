"""Floor 0: a time budget, and the epochs that it pays for."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf

from ulmfit.errors import InputError

FORWARD = 0.6  # a token that is read against one that is learned from: a third of it, or up to this
# where training samples its softmax and reading does not
KEPT_BACK = 0.1  # of the time, for what nobody foresaw
PROBE_SHARE = 0.05  # of the time, spent to find out what it pays for


@dataclass(frozen=True)
class Budget:
    """When all must be over, and how much of the time until then a stage may take."""

    ends: float
    """on the clock of `time.monotonic`"""
    after: float = 0.0
    """seconds for what comes after the training, but for what the models read then"""
    documents: int = 0
    """that are read after the training; once for each model that reads them"""
    tokens: int = 0
    """that are read then besides"""
    share: float = 1.0
    """of the rest, for this stage"""
    spared: int = 0
    """tokens that the stages after this one learn from, if that is known: where they take less
    than `share` leaves them, this stage has the difference"""
    turns: int = 1
    """how many share what this stage has, this one among them"""

    @staticmethod
    def of(minutes: float | None) -> Budget | None:
        """So many minutes from now; None of None.

        Raises:
            InputError: minutes that are none.
        """
        if minutes is None:
            return None
        if not 0 < minutes < inf:
            told = f"a time budget of {minutes:g} minutes"
            raise InputError(f"{told}: expected a finite number above 0")
        return Budget(time.monotonic() + 60 * minutes)

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.ends - time.monotonic())

    def training(self, token: float, document: float) -> float:
        """Seconds that this stage may train for, from now on.

        Args:
            token: seconds to learn from one.
            document: its tokens, on the average.
        """
        reading = FORWARD * token * (self.documents * document + self.tokens)
        rest = max(0.0, (1 - KEPT_BACK) * self.left() - self.after - reading)
        if not self.spared:
            return self.share * rest
        return max(self.share * rest, (rest - token * self.spared) / self.turns)

    def part(self, share: float, spared: int = 0) -> Budget:
        """For a stage that may take only so much of it.

        Args:
            share: of it.
            spared: as the field.
        """
        return replace(self, share=self.share * share, spared=spared)

    def slice(self, count: int) -> Budget:
        """For the next of `count` works of equal length, each of which ends in time."""
        return replace(self, ends=time.monotonic() + self.left() / count)

    def turn(self, number: int, count: int) -> Budget:
        """For the one with this number (from 0) of `count` that share it, one after the other.

        Each looks at the clock when its turn comes: what one leaves is there for the next.
        """
        each = self.share / count
        return replace(self, share=each / (1 - number * each), turns=count - number)


@dataclass(frozen=True)
class Expense:
    """What a training takes: phases of given length, and a last one that may be cut."""

    step: float
    """seconds of a step"""
    steps: int
    """of an epoch"""
    between: float
    """seconds after each epoch: validation, checkpoints"""
    staged: int
    """epochs of the phases before the last"""
    epochs: int
    """of the last phase"""


@dataclass(frozen=True)
class Cut:
    """What of it a budget pays for."""

    epochs: int
    """of the last phase, at least 1"""
    steps: int | None
    """of each epoch, at least 1; None for all"""


def fewer_epochs(seconds: float, whole: Expense) -> Cut:
    """As many whole epochs as fit; a part of each where not even one a phase does.

    A pass over the held-out data at the very end is counted too.
    """
    seconds -= whole.between
    epochs = int(seconds / (whole.step * whole.steps + whole.between)) - whole.staged
    if epochs >= 1:
        return Cut(min(whole.epochs, epochs), None)
    return Cut(1, _steps(seconds, whole, 1))


def shorter_epochs(seconds: float, whole: Expense) -> Cut:
    """All epochs, each as short as it must be.

    The schedule keeps its shape, and the text is far more than a short training can read. But
    there are fewer epochs where what comes between them would take more than half of the time.
    """
    epochs = whole.staged + whole.epochs
    if whole.between:
        epochs = min(epochs, int(max(0.0, seconds) / 2 / whole.between))
    epochs = max(1, epochs - whole.staged)
    return Cut(epochs, _steps(seconds, whole, epochs))


def _steps(seconds: float, whole: Expense, epochs: int) -> int | None:
    """Steps that each epoch may have, with so many epochs in the last phase."""
    steps = int((seconds / (whole.staged + epochs) - whole.between) / whole.step)
    return None if steps >= whole.steps else max(1, steps)
