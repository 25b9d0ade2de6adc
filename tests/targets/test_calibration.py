"""A temperature that is found again, and that few texts cannot lead astray."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from ulmfit.metrics import expected_calibration_error
from ulmfit.targets.answers import nats, probabilities
from ulmfit.targets.calibration import fit_temperature


def draw(kind: str, n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outputs whose right temperature is known, and labels drawn from what they then say."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (n, 1, 4))
    rows = probabilities(logits, kind, 1.0)
    if kind == "multi":
        labels = random.random(rows.shape) < rows
    else:
        labels = (random.random((n, 1)) > rows.cumsum(1)).sum(1).clip(max=rows.shape[1] - 1)
    return logits * temperature, labels


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_right_temperature_is_found(kind, temperature: float) -> None:
    logits, labels = draw(kind, 20_000, temperature)
    assert fit_temperature(logits, labels, kind) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
def test_without_a_prior_it_is_the_maximum_of_the_likelihood(kind) -> None:
    logits, labels = draw(kind, 60, 2.0)
    best = minimize_scalar(
        lambda x: nats(probabilities(logits, kind, np.exp(x)), labels, kind).sum(),
        bounds=(-3, 3),
        method="bounded",
    )
    got = fit_temperature(logits, labels, kind, spread=np.inf)
    assert got == pytest.approx(np.exp(best.x), rel=1e-3)


def test_a_handful_of_right_answers_makes_nothing_certain() -> None:
    """The likelihood alone would."""
    logits = np.zeros((5, 1, 3))
    logits[:, 0, 1] = 2.0
    labels = np.ones(5, np.int64)
    assert fit_temperature(logits, labels, "single", spread=np.inf) < 0.06
    assert 0.5 < fit_temperature(logits, labels, "single") < 2


def test_the_answers_stay_and_become_honest() -> None:
    logits, labels = draw("single", 2000, 3.0)
    before = probabilities(logits, "single")
    after = probabilities(logits, "single", fit_temperature(logits, labels, "single"))
    assert (before.argmax(1) == after.argmax(1)).all()
    assert expected_calibration_error(labels, after) < 0.5 * expected_calibration_error(
        labels, before
    )
