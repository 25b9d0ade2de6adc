"""Steps are counted over all phases of a stage, in one process or several."""

from pathlib import Path

import pytest

from ulmfit.run import Plan
from ulmfit.tracking.numbering import Numbering
from ulmfit.training.loop import Step

PHASES = [("last 1", 1, 4), ("last 2", 2, 6), ("all", 3, 9)]  # name, epochs, steps
PLAN = Plan(
    "classifier, forward",
    [{"name": n, "epochs": e, "thawed": [0], "peak_rates": [0.1]} for n, e, _ in PHASES],
    19,
    100,
    1.0,
)


def steps() -> list[Step]:
    found, before = [], 0
    for name, epochs, total in PHASES:
        for step in range(1, total + 1):
            epoch = before + (step - 1) * epochs // total
            found.append(Step(name, epoch, step, total, 1.0, (0.1,), 5, 0.1))
        before += epochs
    return found


def test_a_stage_is_counted_through() -> None:
    numbering = Numbering()
    numbering.begin(PLAN)
    assert [numbering.number(step) for step in steps()] == list(range(1, 20))
    assert numbering.stage == "classifier forward"


@pytest.mark.parametrize("at", [0, 3, 4, 7, 12, 18])
def test_a_process_that_takes_it_up_goes_on_counting(at: int, tmp_path: Path) -> None:
    first = Numbering()
    first.begin(PLAN)
    for step in steps()[: at + 1]:
        first.number(step)
    second = Numbering(**first.told())
    again = max(0, at - 2)  # a checkpoint lies before the end
    assert [second.number(step) for step in steps()[again:]] == list(range(again + 1, 20))


def test_phases_of_one_name_are_told_apart() -> None:
    """v1 warms up all layers, then thaws them one by one, and ends with all."""
    numbering = Numbering()
    phases = [{"name": n, "epochs": 1} for n in ("all", "last 1", "all")]
    numbering.begin(Plan("x", phases, 6, 1, 1.0))
    told = [
        numbering.number(Step(phase["name"], epoch, step, 2, 1.0, (), 1, 1.0))
        for epoch, phase in enumerate(phases)
        for step in (1, 2)
    ]
    assert told == [1, 2, 3, 4, 5, 6]


def test_a_new_stage_begins_at_one() -> None:
    numbering = Numbering()
    for _ in range(2):
        numbering.begin(PLAN)
        assert numbering.number(steps()[0]) == 1
