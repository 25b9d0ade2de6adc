"""What a budget pays for: never more than there is, as much of it as fits, never more epochs."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ulmfit.budget import FORWARD, KEPT_BACK, Budget, Cut, Expense, fewer_epochs, shorter_epochs
from ulmfit.errors import InputError

WHOLES = st.builds(
    Expense,
    step=st.floats(1e-4, 10),
    steps=st.integers(1, 10_000),
    between=st.floats(0, 100),
    staged=st.integers(0, 4),
    epochs=st.integers(1, 60),
)
SECONDS = st.floats(0, 1e6)
EPSILON = 1 + 1e-9
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a busy machine


def cost(cut: Cut, whole: Expense) -> float:
    """Seconds."""
    steps = whole.steps if cut.steps is None else cut.steps
    return (whole.staged + cut.epochs) * (steps * whole.step + whole.between)


@CALM
@given(SECONDS, WHOLES)
def test_whole_epochs_fit_and_one_more_would_not(seconds: float, whole: Expense) -> None:
    cut = fewer_epochs(seconds, whole)
    assert 1 <= cut.epochs <= whole.epochs
    left = seconds - whole.between
    if cut.steps is None:
        assert cost(cut, whole) <= left * EPSILON
        assert cut.epochs == whole.epochs or cost(Cut(cut.epochs + 1, None), whole) > left / EPSILON
    else:  # not even one epoch of each phase: a part of each
        assert cut.epochs == 1 and 1 <= cut.steps <= whole.steps
        assert cut.steps == 1 or cost(cut, whole) <= left * EPSILON
        assert cost(Cut(1, cut.steps + 1), whole) > left / EPSILON


@CALM
@given(SECONDS, WHOLES)
def test_shorter_epochs_fit_and_use_the_time(seconds: float, whole: Expense) -> None:
    cut = shorter_epochs(seconds, whole)
    assert 1 <= cut.epochs <= whole.epochs
    if cut.steps is None:
        assert cost(cut, whole) <= seconds * EPSILON
    else:
        assert 1 <= cut.steps <= whole.steps
        assert cut.steps == 1 or cost(cut, whole) <= seconds * EPSILON
        assert cost(Cut(cut.epochs, cut.steps + 1), whole) > seconds / EPSILON
    if cut.epochs < whole.epochs:  # only where what comes between takes more than half
        assert (whole.staged + cut.epochs + 1) * whole.between > seconds / 2 / EPSILON


@CALM
@given(SECONDS, st.floats(0, 1e5), WHOLES)
def test_more_time_never_buys_less(seconds: float, more: float, whole: Expense) -> None:
    for fit in (fewer_epochs, shorter_epochs):
        less, most = fit(seconds, whole), fit(seconds + more, whole)
        assert most.epochs >= less.epochs
    assert cost(fewer_epochs(seconds, whole), whole) <= EPSILON * cost(
        fewer_epochs(seconds + more, whole), whole
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_budget_runs_from_its_beginning(clock: list[float]) -> None:
    budget = Budget.of(2.0)
    clock[0] += 10
    assert budget is not None and budget.left() == 110
    clock[0] += 200
    assert budget.left() == 0 and budget.training(1.0, 1.0) == 0
    assert Budget.of(None) is None


@pytest.mark.parametrize("minutes", [0, -1.0, float("nan"), float("inf")])
def test_minutes_that_are_none(minutes: float) -> None:
    with pytest.raises(InputError, match="expected a finite number above 0"):
        Budget.of(minutes)


def test_what_comes_after_is_kept_back(clock: list[float]) -> None:
    budget = Budget(clock[0] + 1000, after=100, documents=30, tokens=200)
    read = FORWARD * 0.1 * (30 * 20 + 200)
    assert budget.training(0.1, 20) == pytest.approx((1 - KEPT_BACK) * 1000 - 100 - read)
    assert budget.part(0.6).training(0.1, 20) == pytest.approx(0.6 * budget.training(0.1, 20))


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_turns_share_evenly_what_the_stage_may_have(
    share: float, count: int, clock: list[float]
) -> None:
    budget = Budget(clock[0] + 1000).part(share)
    whole = budget.training(1, 0)
    for number in range(count):
        mine = budget.turn(number, count).training(1, 0)
        assert mine == pytest.approx(whole / count)
        clock[0] += mine / (1 - KEPT_BACK)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_stage_has_what_later_ones_do_not_need(count: int, clock: list[float]) -> None:
    budget = Budget(clock[0] + 1000)
    all_of_it = budget.training(1, 0)
    stage = budget.part(0.6, spared=100)
    assert stage.training(1, 0) == pytest.approx(all_of_it - 100)
    for number in range(count):
        mine = stage.turn(number, count).training(1, 0)
        assert mine == pytest.approx((all_of_it - 100) / count)
        clock[0] += mine / (1 - KEPT_BACK)
    assert budget.training(1, 0) == pytest.approx(100)  # is left for those
    clock[0] = budget.ends - 1000
    needy = budget.part(0.6, spared=10**6)
    assert needy.training(1, 0) == pytest.approx(0.6 * all_of_it)


def test_a_turn_that_ended_early_leaves_its_time_to_the_next(clock: list[float]) -> None:
    budget = Budget(clock[0] + 1000)
    clock[0] += 100
    assert budget.turn(1, 2).training(1, 0) == pytest.approx((1 - KEPT_BACK) * 900)


def test_slices_end_one_after_the_other(clock: list[float]) -> None:
    budget = Budget(clock[0] + 900)
    ends = []
    for left in (3, 2, 1):
        part = budget.slice(left)
        ends.append(part.ends)
        clock[0] = part.ends
    assert ends == pytest.approx([1300, 1600, 1900])
