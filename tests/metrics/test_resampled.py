"""The interval of a mean over splits: against scipy's, and against what it promises."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from ulmfit.errors import InputError
from ulmfit.metrics.resampled import resampled
from ulmfit.targets.folds import stratified_folds

VALUES = [0.81, 0.84, 0.79, 0.9, 0.83]


def test_splits_that_share_nothing_have_students_interval() -> None:
    found = resampled(VALUES, learned=1e12, held_out=1)
    mean, sem = np.mean(VALUES), stats.sem(VALUES)
    low, high = stats.t.interval(0.95, len(VALUES) - 1, loc=mean, scale=sem)
    assert found.mean == pytest.approx(mean)
    assert found.sd == pytest.approx(np.std(VALUES, ddof=1))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_five_folds_widen_it_by_three_halves() -> None:
    """1/5 + 1/4 over 1/5: a variance of 2.25 times the plain one."""
    plain, folds = resampled(VALUES, 1e12, 1), resampled(VALUES, 80, 20)
    assert plain.high is not None and folds.high is not None
    assert folds.high - folds.mean == pytest.approx(1.5 * (plain.high - plain.mean))


def test_it_keeps_within_what_is_possible() -> None:
    found = resampled([0.99, 0.9, 1.0], 2, 1, ends=(0, 1))
    assert found.high == 1 and found.low is not None and found.low < 0.9


def test_one_split_says_nothing_of_its_spread() -> None:
    found = resampled([0.5], 9, 1)
    assert (found.mean, found.sd, found.low, found.high) == (0.5, None, None, None)


def true_accuracy(model: LogisticRegression, apart: float) -> float:
    """On endless rows of two normal classes, at zero and at `apart` in every column."""
    weight, bias = model.coef_[0], float(model.intercept_[0])
    middles = bias, bias + apart * weight.sum()
    below, above = stats.norm.cdf(np.array(middles) / np.linalg.norm(weight))
    return float(1 - below + above) / 2


def test_of_real_cross_validations_it_holds_what_it_promises() -> None:
    """Accuracy of a linear model on drawn data: the interval holds the true mean 9 times in 10.

    The plain t-interval does so less often.
    """
    generator = np.random.default_rng(0)
    apart, held, plain, rounds = 0.8, 0, 0, 60
    wanted = []
    cases = []
    for seed in range(rounds):
        y = generator.integers(0, 2, 60)
        x = generator.normal(y[:, None] * apart, 1.0, (60, 3))
        dealt = stratified_folds(y, ["a", "b"], 5, seed)
        models = [LogisticRegression().fit(x[dealt != f], y[dealt != f]) for f in range(5)]
        cases.append([m.score(x[dealt == f], y[dealt == f]) for f, m in enumerate(models)])
        wanted += [true_accuracy(m, apart) for m in models]
    true = float(np.mean(wanted))
    for values in cases:
        found, naive = resampled(values, 48, 12), resampled(values, 1e12, 1)
        assert found.low is not None and found.high is not None
        assert naive.low is not None and naive.high is not None
        held += found.low <= true <= found.high
        plain += naive.low <= true <= naive.high
    assert held >= 0.9 * rounds and held > plain


@pytest.mark.parametrize(("values", "learned"), [([], 5), ([0.5], 0)])
def test_nothing_to_average(values: list[float], learned: float) -> None:
    with pytest.raises(InputError, match="needs a split"):
        resampled(values, learned, 1)
