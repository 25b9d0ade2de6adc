"""Floor 2: a run fitted to a time budget, and its plan, which is told before the first step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from math import inf
from typing import TypeVar

from ulmfit.budget import FORWARD, PROBE_SHARE, Budget, Cut, Expense
from ulmfit.files import write_atomically
from ulmfit.run import Plan, Run, plan, probe
from ulmfit.stream_task import LanguageModelTask
from ulmfit.tasks import ClassifierTask
from ulmfit.training.loop import Loop

FILE = "budget.json"  # what was planned, so that a resumed run has the same schedule

T = TypeVar("T", ClassifierTask, LanguageModelTask)  # whose epochs can be shortened


def planned(
    run: Run[T],
    stage: str,
    budget: Budget | None,
    fit: Callable[[float, Expense], Cut],
    *,
    held_out: int,
    document: float,
) -> Iterator[Plan]:
    """Fit a run to a budget and tell its plan, unless it is being resumed.

    Args:
        run: not driven yet.
        stage: its name in the plan.
        budget: None for no limit. One step of each epoch is taken in any case.
        fit: which epochs so many seconds pay for.
        held_out: tokens that are validated on after each epoch.
        document: tokens of one, on the average.
    """
    loop, path = run.loop, run.folder / FILE
    if run.begun:
        if path.exists():
            _cut(loop, Cut(**json.loads(path.read_text("utf8"))))
        return
    path.unlink(missing_ok=True)  # of a call that got no further
    seconds = probe(loop, within=inf if budget is None else PROBE_SHARE * budget.left())
    token = seconds * loop.task.steps(0) / max(1, loop.task.tokens(0))
    validating = FORWARD * token * held_out
    if budget is not None:
        between = validating + run.seconds_to_save()
        cut = fit(budget.training(token, document), _expense(loop, seconds, between))
        write_atomically(path, json.dumps(asdict(cut)).encode())
        _cut(loop, cut)
    run.plan = plan(loop, stage, seconds, validating)
    yield run.plan


def _expense(loop: Loop[T], step: float, between: float) -> Expense:
    last = loop.phases[-1].epochs
    return Expense(step, loop.task.steps(0), between, loop.epochs() - last, last)


def _cut(loop: Loop[T], cut: Cut) -> None:
    *before, last = loop.phases
    loop.phases = [*before, replace(last, epochs=cut.epochs)]
    if cut.steps is not None:
        loop.task.max_steps = cut.steps
