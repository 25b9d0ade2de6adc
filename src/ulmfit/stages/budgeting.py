"""The epochs of a classifier that a time budget pays for, and the plan that is told."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from ulmfit.bundle import Direction
from ulmfit.files import write_atomically
from ulmfit.presets import ClassifierSettings
from ulmfit.run import Plan, Run, plan, probe
from ulmfit.tasks import ClassifierTask
from ulmfit.training.loop import Loop

BUDGET = "budget"  # epochs of the last phase, kept so that a resumed run has the same schedule


def planned(
    make: Callable[[ClassifierSettings], Run[ClassifierTask]],
    settings: ClassifierSettings,
    folder: Path,
    direction: Direction,
    budget: float | None,
) -> Generator[Plan, None, Run[ClassifierTask]]:
    """The run, its epochs fitted to the budget; its plan told, unless it is being resumed.

    Args:
        make: a run of these settings.
        settings: before the budget is looked at.
        folder: the run's.
        direction: the model's.
        budget: seconds; None for no limit.
    """
    run, path = make(settings), folder / BUDGET
    if not run.begun:
        seconds = probe(run.loop)
        path.unlink(missing_ok=True)  # of a call that got no further
        if budget is not None:
            epochs = _affordable(settings, run.loop, budget, seconds)
            write_atomically(path, str(epochs).encode())
            run = make(replace(settings, epochs=epochs))
        run.plan = plan(run.loop, f"classifier, {direction}", seconds)
        yield run.plan
    elif path.exists():
        run = make(replace(settings, epochs=int(path.read_text())))
    return run


def _affordable(
    settings: ClassifierSettings, loop: Loop[ClassifierTask], budget: float, seconds: float
) -> int:
    """Epochs of the last phase that `budget` seconds pay for, a tenth kept back."""
    epoch = seconds * loop.task.steps(0)
    staged = sum(phase.epochs for phase in loop.phases[:-1])
    return min(settings.epochs, max(1, int(0.9 * budget / epoch) - staged))
