"""Figures of ordinal and real-valued targets against scikit-learn and scipy."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from ulmfit import metrics
from ulmfit.errors import InputError

RANKS = 5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [5, 9, 300])
def test_ranks_agree_with_scikit_learn(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, RANKS, n)
    answers = np.clip(truth + random.integers(-1, 3, n), 0, RANKS - 1)
    probabilities = random.dirichlet(np.ones(RANKS), n)
    scores = metrics.score_ranks(truth, answers, probabilities)
    assert scores.accuracy == sk.accuracy_score(truth, answers)
    assert scores.mae == pytest.approx(sk.mean_absolute_error(truth, answers))
    assert scores.quadratic_kappa == pytest.approx(
        sk.cohen_kappa_score(truth, answers, weights="quadratic", labels=range(RANKS))
    )
    assert scores.log_loss == pytest.approx(sk.log_loss(truth, probabilities, labels=range(RANKS)))
    assert sum(map(sum, scores.confusion)) == n


def test_kappa_where_there_is_no_chance() -> None:
    assert metrics.quadratic_kappa([2, 2], [2, 2]) == 1
    assert metrics.quadratic_kappa([2, 2], [0, 0]) == 0


def test_calibration_is_that_of_the_given_answer() -> None:
    """The median rank may be another than the most probable one."""
    probabilities = np.tile([0.4, 0.3, 0.3], (10, 1))
    error = metrics.expected_calibration_error([1] * 3 + [0] * 7, probabilities, predicted=[1] * 10)
    assert error == pytest.approx(0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 9, 300])
def test_values_agree_with_scikit_learn_and_scipy(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    truth = np.round(random.normal(3, 2, n), 1)  # with ties
    given = np.round(truth + random.normal(0, 1, n), 1)
    truth[0] += 1.0
    scores = metrics.score_values(truth, given)
    assert scores.mae == pytest.approx(sk.mean_absolute_error(truth, given))
    assert scores.rmse == pytest.approx(sk.root_mean_squared_error(truth, given))
    assert scores.r2 == pytest.approx(sk.r2_score(truth, given))
    assert scores.spearman == pytest.approx(stats.spearmanr(truth, given).statistic)


def test_values_without_any_spread() -> None:
    assert metrics.score_values([2, 2], [2, 2]).r2 == sk.r2_score([2, 2], [2, 2]) == 1
    assert metrics.score_values([2, 2], [2, 3]).r2 == sk.r2_score([2, 2], [2, 3]) == 0
    assert metrics.spearman([2, 2], [2, 3]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.score_values([1.0], [np.nan]), "predicted holds nan"),
        (lambda: metrics.score_values([1.0, 2.0], [1.0]), "predictions for 1 texts"),
        (lambda: metrics.score_values([], []), "at least one value"),
        (lambda: metrics.mean_steps([0, 1], [0]), "2 true classes"),
        (lambda: metrics.score_ranks([0], [3], [[0.5, 0.5]]), "class 3"),
        (lambda: metrics.quadratic_kappa([0.5], [0]), "whole numbers"),
    ],
)
def test_wrong_input_is_named(call, message) -> None:
    with pytest.raises(InputError, match=message):
        call()
