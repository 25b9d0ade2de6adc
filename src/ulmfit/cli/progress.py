"""Events of the pipeline -> what is seen on stderr while a command works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from ulmfit.cli.bars import Bars
from ulmfit.cli.lines import Lines
from ulmfit.cli.pace import Pace
from ulmfit.cli.plan import epoch_line, plan_lines
from ulmfit.pipeline import Event, Note, Texts
from ulmfit.pipeline.passes import told
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import EpochEnd, Step

Result = TypeVar("Result")
Display = Bars | Lines


def display() -> Display:
    """A bar where stderr is a terminal, else plain lines."""
    return Bars() if sys.stderr.isatty() else Lines()


def follow(events: Generator[Event, None, Result], on: Display | None = None) -> Result:
    """Run the generator to its end, showing what it yields, and return what it returns."""
    shown = _Shown(on or display())
    shown.display.open()
    try:
        with closing(events):
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    result: Result = end.value
                    return result
                shown.take(event)
    finally:
        shown.display.close()


@contextmanager
def counting(what: str, unit: str = "texts") -> Iterator[Callable[[int, int | None], None]]:
    """A function to call with how much is done, and of how much if that is known."""
    shown = display()

    def count(done: int, total: int | None = None) -> None:
        shown.count(what, done, total, unit)

    shown.open()
    try:
        count(0)
        yield count
    finally:
        shown.close()


def tell_skipped(messages: list[str]) -> None:
    """Say on stderr which rows were left out."""
    for note in told(messages):
        print(note.text, file=sys.stderr)


class _Shown:
    def __init__(self, on: Display) -> None:
        self.display = on
        self._pace = Pace()
        self._train_loss = 0.0

    def take(self, event: Event) -> None:
        match event:
            case Step():
                self.display.step(event, self._pace.step(event))
            case Texts(what, done, total):
                self.display.count(what, done, total, "texts")
            case EpochEnd():
                self._train_loss = event.loss
            case Validated():
                self.display.say(epoch_line(event, self._train_loss))
            case Plan():
                self._pace = Pace(event)
                self._say(plan_lines(event))
            case Note(text):
                self._pace = Pace()
                self._say([text])

    def _say(self, lines: list[str]) -> None:
        self.display.rest()
        for line in lines:
            self.display.say(line)
