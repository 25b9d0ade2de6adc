"""Progress on a terminal: one live bar with rate and time left, on stderr."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from ulmfit.cli.pace import Standing
from ulmfit.training.loop import Step
from ulmfit.wording import duration, folded


class Bars:
    """Draws on stderr; lines that are to stay scroll above the bar."""

    def __init__(self, console: Console | None = None) -> None:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            console=console or Console(stderr=True),
            transient=True,
            expand=True,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._began = 0.0
        self._first = 0

    def open(self) -> None:
        """Take over the terminal's last line."""
        self._bars.start()

    def close(self) -> None:
        """Give it back."""
        self._bars.stop()

    def say(self, line: str) -> None:
        """A line above the bar."""
        console = self._bars.console
        line = folded(line, console.width)
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    def step(self, step: Step, standing: Standing) -> None:
        """A step of a loop."""
        told = (
            f"loss {step.loss:.3f}  {standing.tokens_per_second:,.0f} tokens/s  "
            f"{duration(standing.seconds_left)} left"
        )
        self._draw(f"epoch {step.epoch + 1}", standing.done, standing.total, told)

    def count(self, what: str, done: int, total: int | None, unit: str) -> None:
        """So much of something is done."""
        if what != self._what:
            self._what, self._began, self._first = what, time.monotonic(), done
        rate = (done - self._first) / max(time.monotonic() - self._began, 1e-9)
        left = f"  {duration((total - done) / rate)} left" if total and rate > 0 else ""
        self._draw(what, done, total, f"{unit}  {rate:,.0f}/s{left}")

    def rest(self) -> None:
        """Clear the bar: what was going on is over."""
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task, self._what = None, ""

    def _draw(self, what: str, done: int, total: int | None, told: str) -> None:
        if self._task is None:
            self._task = self._bars.add_task(what, total=total, told=told)
        self._bars.update(self._task, description=what, completed=done, total=total, told=told)
