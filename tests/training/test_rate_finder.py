"""The range test: what it sweeps, where it stops, what it suggests, and that it leaves no trace."""

from collections.abc import Callable, Iterator
from math import inf, log10, nan
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ulmfit.errors import InputError
from ulmfit.training.layer_groups import Phase, all_at_once, gradual_unfreezing
from ulmfit.training.loop import Loop, Step
from ulmfit.training.rate_finder import RateCurve, find_rate
from ulmfit.training.schedules import slanted_triangular

CPU = torch.device("cpu")
PEAKS = (0.01, 0.04)
Figure = Callable[[int, float], float]


class Fit:
    """A regression with dropout; what it reports may be any function of (step, loss)."""

    def __init__(self, model: nn.Module, figure: Figure, each_epoch: int) -> None:
        self.model = model
        self.carried = torch.ones(3)
        self.taken = 0
        self._figure = figure
        self._each_epoch = each_epoch

    def steps(self, epoch: int) -> int:
        return self._each_epoch

    def tokens(self, epoch: int) -> int:
        return 18 * self._each_epoch

    def batches(self, epoch: int, start: int) -> Iterator[Tensor]:
        for step in range(start, self._each_epoch):
            yield torch.randn(6, 3, generator=torch.Generator().manual_seed(100 * epoch + step))

    def loss(self, batch: Tensor) -> tuple[Tensor, float, int, float]:
        loss = (self.model(batch + self.carried) - 1).square().mean()
        self.carried = batch.mean(0)
        self.taken += 1
        return loss, self._figure(self.taken - 1, loss.item()), 18, 1.0

    def start_epoch(self) -> None:
        self.carried = torch.ones(3)

    def state(self) -> dict[str, Tensor]:
        return {"carried": self.carried}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.carried = state["carried"]


def new_loop(
    figure: Figure = lambda step, loss: loss,
    phases: list[Phase] | None = None,
    each_epoch: int = 7,
) -> Loop[Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    groups = [list(model[0].parameters()), list(model[2].parameters())]
    phases = phases or gradual_unfreezing(PEAKS, 2, slanted_triangular)
    task = Fit(model, figure, each_epoch)
    return Loop(model, groups, task, phases, device=CPU, precision="fp32")


def swept(loop: Loop[Any], **options: Any) -> tuple[list[Step], RateCurve]:
    steps, finding = [], find_rate(loop, **options)
    while True:
        try:
            steps.append(next(finding))
        except StopIteration as end:
            return steps, end.value


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {k: v for key, part in value.items() for k, v in flat(part, f"{prefix}{key}.").items()}


def trace(loop: Loop[Any]) -> dict[str, Any]:
    """All that training goes on from, copied."""
    state = flat(loop.state())
    state = {k: v.clone() if isinstance(v, Tensor) else v for k, v in state.items()}
    gradients = [parameter.grad for parameter in loop.model.parameters()]
    learns = [parameter.requires_grad for parameter in loop.model.parameters()]
    return {**state, "training": loop.model.training, "learns": learns, "none": gradients}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(
        torch.equal(a[k], b[k]) if isinstance(a[k], Tensor) else a[k] == b[k] for k in a
    )


def test_the_rate_grows_by_one_factor_and_the_groups_keep_their_proportions() -> None:
    steps, curve = swept(new_loop(), lowest=1e-6, highest=1e-2, steps=21)
    assert len(steps) == 21
    assert curve.rates[0] == pytest.approx(1e-6) and curve.rates[-1] == pytest.approx(1e-2)
    np.testing.assert_allclose(np.diff(np.log10(curve.rates)), 4 / 20)
    for step, rate in zip(steps, curve.rates, strict=True):
        assert step.rates == pytest.approx((rate / 4, rate))


def test_only_the_groups_of_the_phase_learn() -> None:
    loop = new_loop()
    before = [p.clone() for p in loop.groups[0]]
    seen = []
    for step in find_rate(loop, phase="last 1", steps=12):
        seen.append(all(map(torch.equal, loop.groups[0], before)))
        assert step.phase == "last 1" and step.rates[0] == 0
    assert all(seen)


@pytest.mark.parametrize("moment", ["at its start", "in the middle of a phase"])
@pytest.mark.parametrize("end", ["whole", "closed", "failed"])
def test_it_leaves_no_trace(moment: str, end: str) -> None:
    def failing(step: int, loss: float) -> float:
        if end == "failed" and step == 30:
            raise KeyboardInterrupt
        return loss

    loop = new_loop(failing)
    loop.model.eval()
    if moment != "at its start":
        run = loop.run()
        for _ in range(11):
            next(run)
        run.close()
    phases, before = loop.phases, trace(loop)
    finding = find_rate(loop, steps=40)
    if end == "whole":
        list(finding)
    elif end == "closed":
        for _ in range(5):
            next(finding)
        finding.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            list(finding)
    assert same(trace(loop), before)
    assert loop.phases is phases


def test_training_after_it_ends_in_the_same_bytes() -> None:
    plain = new_loop()
    list(plain.run())
    wanted = trace(plain)
    tested = new_loop()
    list(find_rate(tested, steps=40))
    list(tested.run())
    assert same(trace(tested), wanted)


def valley(at: float, lowest: float = 1e-5, highest: float = 1.0, steps: int = 100) -> Figure:
    """3 at low rates, falling from two decades before `at`, 1 there, rising after."""

    def figure(step: int, loss: float) -> float:
        decade = log10(lowest) + step / (steps - 1) * log10(highest / lowest) - log10(at)
        return 3 - max(0.0, min(2.0, 2 + decade)) if decade < 0 else 1 + 2 * decade**2

    return figure


@pytest.mark.parametrize("at", [3e-3, 1e-2, 0.1])
def test_the_suggestion_is_a_tenth_of_the_rate_of_the_lowest_loss(at: float) -> None:
    _, curve = swept(new_loop(valley(at)))
    assert curve.lowest is not None and curve.suggestion is not None
    assert curve.lowest == pytest.approx(at, rel=0.4)
    assert curve.suggestion == curve.lowest / 10
    assert curve.steepest is not None and at / 120 < curve.steepest < at


def test_noise_hardly_moves_the_suggestion() -> None:
    clean = swept(new_loop(valley(0.02)))[1].suggestion
    assert clean is not None
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 0.15, 100)
        noisy = new_loop(lambda step, loss: valley(0.02)(step, loss) + noise[step])  # noqa: B023
        found = swept(noisy)[1].suggestion
        assert found is not None and 1 / 2.5 < found / clean < 2.5


def test_it_stops_where_the_loss_breaks() -> None:
    steps, curve = swept(new_loop(lambda step, loss: 1.0 if step < 50 else 9.0))
    assert 51 <= len(steps) <= 54
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) == len(steps)


@pytest.mark.parametrize("broken", [nan, inf])
def test_a_loss_that_is_no_number_ends_it_and_does_not_spread(broken: float) -> None:
    falling: Figure = lambda step, loss: 2 - step / 50 if step < 40 else broken  # noqa: E731
    steps, curve = swept(new_loop(falling))
    assert len(steps) == 41
    assert np.isfinite(curve.smoothed).all()
    assert curve.suggestion is not None


@pytest.mark.parametrize("figure", [lambda s, x: 1 + s / 100, lambda s, x: nan])
def test_a_loss_that_never_falls_suggests_nothing(figure: Figure) -> None:
    _, curve = swept(new_loop(figure))
    assert curve.lowest is curve.steepest is curve.suggestion is None


def test_a_real_fit_diverges_at_rates_that_are_too_high() -> None:
    """Adam moves a weight by about the rate a step, so weights of size 1 break near rate 1."""
    _, curve = swept(new_loop(phases=all_at_once(PEAKS, 1, slanted_triangular)), highest=100.0)
    assert curve.rates[-1] < 100
    assert curve.lowest is not None and 1e-3 < curve.lowest < 3


def test_epochs_shorter_than_the_sweep_are_repeated() -> None:
    steps, _ = swept(new_loop(lambda step, loss: 1.0, each_epoch=3), steps=20)
    assert [step.epoch for step in steps] == [i // 3 for i in range(20)]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"phase": "first"}, "phase 'first': .* 'last 1', 'all'"),
        ({"lowest": 0.0}, "rates from 0 to 1"),
        ({"lowest": 2.0}, "rates from 2 to 1"),
        ({"highest": inf}, "to inf"),
        ({"lowest": nan}, "rates from nan"),
        ({"steps": 9}, "9 steps: at least 10"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], match: str) -> None:
    loop = new_loop()
    before = trace(loop)
    with pytest.raises(InputError, match=match):
        next(find_rate(loop, **options))
    assert same(trace(loop), before)
