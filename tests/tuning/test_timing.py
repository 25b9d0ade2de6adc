"""A search ends in time: what does not fit is not begun, and nothing outlives the end."""

from collections.abc import Generator
from typing import Any

import pytest

from ulmfit.run import Plan, Validated
from ulmfit.training.loop import Step
from ulmfit.tuning.timing import OVERHEAD, OutOfTime, TimeLeft, quietly


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


STEP = Step("all", 0, 1, 9, 1.0, (0.1,), 10, 0.1)


def plan(seconds: float) -> Plan:
    return Plan("classifier, forward", [], 1, 1, seconds)


def trial(clock: Clock, closed: list[str]) -> Generator[Any, None, str]:
    """Two directions of thirty seconds each."""
    try:
        for _ in range(2):
            yield plan(30)
            for _ in range(3):
                clock.now += 10
                yield STEP
            yield Validated(0, {}, False)
        return "done"
    finally:
        closed.append("closed")


def run(minutes: float | None) -> tuple[list[Any], str, Clock, list[str]]:
    clock, closed, seen = Clock(), [], []
    events = quietly(trial(clock, closed), TimeLeft(minutes, clock), runs=2)
    try:
        while True:
            seen.append(next(events))
    except StopIteration as end:
        return seen, end.value, clock, closed
    except OutOfTime as error:
        return seen, str(error), clock, closed


def test_without_a_budget_only_the_steps_are_shown() -> None:
    seen, result, _, closed = run(None)
    assert result == "done" and seen == [STEP] * 6 and closed == ["closed"]


def test_enough_time() -> None:
    assert run(OVERHEAD * 60 / 60 + 0.001)[1] == "done"


def test_a_trial_that_does_not_fit_is_not_begun() -> None:
    seen, told, clock, closed = run(OVERHEAD * 60 / 60 - 0.1)
    assert seen == [] and clock.now == 100.0 and closed == ["closed"]
    assert "1.1 minutes more" in told and "goes on" in told


def test_one_that_is_slower_than_planned_is_ended() -> None:
    clock, closed = Clock(), []
    left = TimeLeft(1.2, clock)
    clock.now += 20  # less is left than the trial takes, but its plan says 1 s
    events = (plan(1) if isinstance(e, Plan) else e for e in trial(clock, closed))
    with pytest.raises(OutOfTime, match="the time is over; "):
        list(quietly(_generator(events), left, runs=2))
    assert clock.now <= 100 + 60 * 1.2 + 10


def _generator(events: Any) -> Generator[Any, None, None]:
    yield from events
