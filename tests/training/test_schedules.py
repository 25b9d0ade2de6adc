"""Each schedule at its paper's points."""

from itertools import pairwise
from math import cos, floor, pi

import pytest

from ulmfit.training.schedules import (
    SCHEDULES,
    constant,
    cosine,
    discriminative,
    one_cycle,
    reverse_annealing,
    slanted_triangular,
    slanted_triangular_fastai,
)


def v2_equation_3(t: int, total: int, peak: float, cut_frac: float, ratio: float) -> float:
    """As printed."""
    cut = floor(total * cut_frac)
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return peak * (1 + p * (ratio - 1)) / ratio


@pytest.mark.parametrize(("total", "cut_frac"), [(100, 0.1), (1000, 0.1), (40, 0.25), (20, 0.05)])
def test_slanted_triangular_is_the_papers_equation(total: int, cut_frac: float) -> None:
    for t in range(total):
        wanted = v2_equation_3(t, total, 0.01, cut_frac, 32)
        assert slanted_triangular(t, total, 0.01, cut_frac, 32) == pytest.approx(wanted, rel=1e-12)


def test_slanted_triangular_peaks_at_the_cut_and_ends_at_the_ratio() -> None:
    rates = [slanted_triangular(t, 200, 0.01) for t in range(200)]
    assert rates.index(max(rates)) == 20
    assert rates[20] == pytest.approx(0.01)
    assert rates[0] == pytest.approx(0.01 / 32)
    assert slanted_triangular(200, 200, 0.01) == pytest.approx(0.01 / 32)
    assert rates[10] == pytest.approx(0.01 * (1 + 31 / 2) / 32), "half of the rise"
    assert rates[110] == pytest.approx(0.01 * (1 + 31 / 2) / 32), "half of the fall"


@pytest.mark.parametrize("total", range(1, 130))
def test_no_schedule_leaves_its_bounds_however_short_the_phase(total: int) -> None:
    for name, schedule in SCHEDULES.items():
        rates = [schedule(t, total, 0.01) for t in range(total)]
        assert all(-1e-15 <= r <= 0.01 + 1e-15 for r in rates), name


def fastai_07_use_clr(iteration: int, total: int, peak: float, div: float, cut_div: int) -> float:
    """CircularLR of fastai 0.7, one cycle of `total` steps."""
    cut_point = total // cut_div
    if iteration > cut_point:
        share = 1 - (iteration - cut_point) / (total - cut_point)
    else:
        share = iteration / cut_point
    return peak * (1 + share * (div - 1)) / div


@pytest.mark.parametrize(
    ("name", "div", "cut_div"),
    [("scripts_lm", 32, 10), ("scripts_stages", 8, 3), ("scripts_last", 8, 8)],
)
def test_the_scripts_triangles_are_fastais(name: str, div: float, cut_div: int) -> None:
    for total in (30, 100, 240, 1001):
        for t in range(total):
            wanted = fastai_07_use_clr(t, total, 4e-3, div, cut_div)
            assert SCHEDULES[name](t, total, 4e-3) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("cut_div", [3, 8, 10])
def test_the_scripts_peak_is_not_lost_to_rounding(cut_div: int) -> None:
    for total in range(cut_div, 3000, cut_div):
        peak = slanted_triangular_fastai(total // cut_div, total, 1.0, 8, cut_div)
        assert peak == pytest.approx(1.0, abs=1e-9), total


def test_cosine_is_equation_1_of_v1() -> None:
    for t in range(50):
        wanted = 1e-4 + (2e-3 - 1e-4) * (1 + cos(pi * t / 50)) / 2
        assert cosine(t, 50, 2e-3, 1e-4) == pytest.approx(wanted)
    assert cosine(0, 50, 2e-3) == pytest.approx(2e-3)
    assert cosine(25, 50, 2e-3) == pytest.approx(1e-3)
    assert cosine(50, 50, 2e-3) == pytest.approx(0, abs=1e-12)


def test_reverse_annealing_of_one_step_is_at_its_peak() -> None:
    assert reverse_annealing(0, 1, 2e-3) == 2e-3


def test_reverse_annealing_rises_from_nothing_to_the_peak_along_a_cosine() -> None:
    rates = [reverse_annealing(t, 51, 2e-3) for t in range(51)]
    assert rates[0] == pytest.approx(0, abs=1e-12)
    assert rates[25] == pytest.approx(1e-3)
    assert rates[50] == pytest.approx(2e-3)
    assert rates == sorted(rates)


def test_one_cycle_rises_for_a_quarter_and_falls_to_nearly_nothing() -> None:
    rates = [one_cycle(t, 400, 1.0) for t in range(400)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[100] == max(rates) == pytest.approx(1.0)
    assert rates[50] == pytest.approx((1 + 1 / 25) / 2)
    assert one_cycle(400, 400, 1.0) == pytest.approx(1e-5)


def test_constant_is_constant() -> None:
    assert {constant(t, 9, 0.3) for t in range(9)} == {0.3}


def test_discriminative_rates_fall_by_their_factor_towards_the_input() -> None:
    rates = discriminative(0.01, 5, 2.6)
    assert rates[-1] == 0.01
    assert [b / a for a, b in pairwise(rates)] == pytest.approx([2.6] * 4)
    v1 = discriminative(0.01, 3, 1 / 0.3)
    assert v1 == pytest.approx([0.01 * 0.09, 0.01 * 0.3, 0.01])
