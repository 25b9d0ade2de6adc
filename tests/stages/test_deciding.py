"""What an epoch is kept by: the loss of the model as it would be delivered, and its error."""

import math

import numpy as np
import pytest

from ulmfit.manifest import TargetConfig
from ulmfit.stages.deciding import ALIKE, Policy, epoch_figures, figures, in_int8
from ulmfit.targets.calibration import fit_temperature

LABELS = np.array([0, 1] * 50)
RAW, CALIBRATED = Policy(), Policy(calibrate=True)


def logits(right: int, size: float) -> np.ndarray:
    """(100, 1, 2): the first `right` texts lean to their label by `size`, the rest against it."""
    signs = np.where(np.arange(100) < right, 1.0, -1.0) * np.where(LABELS == 1, 1.0, -1.0)
    return np.stack([np.zeros(100), size * signs], 1)[:, None]


def test_an_epoch_that_knows_more_wins_though_it_is_too_sure() -> None:
    target = TargetConfig()
    modest, sure = logits(80, 1.0), logits(90, 9.0)
    kept = [epoch_figures(x, LABELS, target, CALIBRATED) for x in (modest, sure)]
    assert kept[0]["loss"] < kept[1]["loss"]
    assert kept[0]["final_loss"] > kept[1]["final_loss"]
    assert [k["accuracy"] for k in kept] == [0.8, 0.9]


def test_the_final_loss_is_that_of_the_temperature() -> None:
    x = logits(90, 9.0)
    heat = fit_temperature(x, LABELS, "single")
    told = epoch_figures(x, LABELS, TargetConfig(), CALIBRATED)
    wanted = figures(x, LABELS, TargetConfig(temperature=heat))["loss"]
    assert told["final_loss"] == pytest.approx(wanted)
    assert told["loss"] == figures(x, LABELS, TargetConfig())["loss"]


def test_without_a_temperature_it_is_the_loss() -> None:
    told = epoch_figures(logits(90, 9.0), LABELS, TargetConfig(), RAW)
    assert told["final_loss"] == told["loss"]


def test_the_standard_error_of_weighted_losses() -> None:
    x, weights = logits(70, 2.0), np.linspace(0.5, 1.5, 100)
    told = epoch_figures(x, LABELS, TargetConfig(), RAW, weights)
    right, wrong = math.log1p(math.exp(-2.0)), math.log1p(math.exp(2.0))
    losses = weights * np.where(np.arange(100) < 70, right, wrong)
    assert told["loss"] == pytest.approx(losses.mean())
    assert told["standard_error"] == pytest.approx(losses.std(ddof=1) / 10)


def test_several_labels_and_real_values_have_one_loss_a_text() -> None:
    x = np.random.default_rng(0).normal(size=(40, 1, 3))
    marks = x[:, 0] + 1 > 0
    told = epoch_figures(x, marks, TargetConfig(kind="multi"), CALIBRATED)
    assert told["final_loss"] <= told["loss"] and told["standard_error"] > 0
    numbers = x[:, 0, 0] + 0.5
    told = epoch_figures(x[:, :, :1], numbers, TargetConfig(kind="real"), CALIBRATED)
    assert told["loss"] == told["final_loss"] == pytest.approx(0.25)
    assert told["standard_error"] == pytest.approx(0, abs=1e-12)


def test_one_text_has_no_error() -> None:
    assert epoch_figures(logits(1, 1.0)[:1], LABELS[:1], TargetConfig(), RAW)["standard_error"] == 0


@pytest.mark.parametrize(("share", "alike"), [(0.0, True), (0.09, True), (0.11, False)])
def test_int8_is_alike_where_it_moves_the_loss_less_than_chance(share: float, alike: bool) -> None:
    """The loss of `size` is log(1 + e^size) or less size; so its change can be chosen."""
    exact = logits(70, 2.0)
    told = epoch_figures(exact, LABELS, TargetConfig(), RAW)
    wanted = told["loss"] + share * told["standard_error"]
    sizes = np.linspace(2.0, 3.0, 20_001)
    losses = 0.7 * np.log1p(np.exp(-sizes)) + 0.3 * np.log1p(np.exp(sizes))
    size = float(sizes[np.argmin(np.abs(losses - wanted))])
    found = in_int8(exact, logits(70, size), LABELS, TargetConfig())
    assert found["loss_change"] == pytest.approx(share * told["standard_error"], abs=1e-4)
    assert found["alike"] is alike
    back = in_int8(logits(70, size), exact, LABELS, TargetConfig())
    assert back["loss_change"] == pytest.approx(-found["loss_change"]), "better counts as well"


def test_a_model_that_is_always_right_may_round() -> None:
    """Its losses hardly vary, so that a tenth of their error is nothing."""
    found = in_int8(logits(100, 9.0), logits(100, 8.5), LABELS, TargetConfig())
    assert 0 < found["loss_change"] < ALIKE
    assert found["alike"] is True


def test_one_text_alone_tells_little() -> None:
    one = in_int8(logits(1, 2.0)[:1], logits(1, 1.9)[:1], LABELS[:1], TargetConfig())
    assert one["alike"] is False
