"""Multi-label figures against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from ulmfit import metrics
from ulmfit.errors import InputError


def draw(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, answers and probabilities of six classes, one in no text and one never given."""
    random = np.random.default_rng(seed)
    truth = random.random((n, 6)) < [0.5, 0.3, 0.1, 0.05, 0.0, 0.2]
    probabilities = np.clip(truth * 0.4 + random.random((n, 6)) * 0.6, 0.001, 0.999)
    return truth, probabilities >= [0.5, 0.5, 0.3, 0.6, 0.4, 2.0], probabilities


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 8, 300])
def test_agrees_with_scikit_learn(seed: int, n: int) -> None:
    truth, answers, probabilities = draw(seed, n)
    scores = metrics.score_sets(truth, answers, probabilities)
    assert scores.subset_accuracy == pytest.approx(sk.accuracy_score(truth, answers))
    for average, got in [("micro", scores.micro_f1), ("macro", scores.macro_f1)]:
        assert got == pytest.approx(sk.f1_score(truth, answers, average=average, zero_division=0))
    wanted = sk.precision_recall_fscore_support(truth, answers, average=None, zero_division=0)
    for label, *figures in zip(scores.per_label, *wanted, strict=True):
        assert (label.precision, label.recall, label.f1, label.support) == pytest.approx(figures)
    losses = [
        sk.log_loss(truth[:, c], np.column_stack([1 - p, p]), labels=[0, 1])
        for c, p in enumerate(probabilities.T)
    ]
    assert scores.log_loss == pytest.approx(np.mean(losses))
    low, high = scores.subset_accuracy_ci
    assert low <= scores.subset_accuracy <= high and scores.n == n


def test_calibration_error_of_pairs_by_definition() -> None:
    truth, _, probabilities = draw(0, 200)
    sure, happened = probabilities.ravel(), truth.ravel()
    wanted = 0.0
    for low in range(15):
        inside = (sure > low / 15) & (sure <= (low + 1) / 15)
        if inside.any():
            wanted += inside.mean() * abs(happened[inside].mean() - sure[inside].mean())
    assert metrics.sets_calibration_error(truth, probabilities) == pytest.approx(wanted)
    honest = np.full((4, 1), 0.75)
    assert metrics.sets_calibration_error([[1], [1], [1], [0]], honest) == pytest.approx(0)


def test_nothing_there_and_nothing_given_is_no_success() -> None:
    assert metrics.micro_f1([[0, 0]], [[0, 0]]) == 0


@pytest.mark.parametrize(
    ("truth", "answers", "probabilities", "message"),
    [
        ([1, 0], [[1, 0]], [[0.5, 0.5]], r"truth has shape \(2,\)"),
        ([[1, 0]], [[1]], [[0.5, 0.5]], "must be alike"),
        ([[1, 0]], [[1, 0]], [[0.5]], "must be alike"),
        ([[1, 0]], [[1, 0]], [[0.5, 1.5]], "from 0 to 1"),
        ([[1, 0]], [[1, 0]], [[0.5, float("nan")]], "from 0 to 1"),
        ([[2, 0]], [[1, 0]], [[0.5, 0.5]], "0 and 1"),
        ([[1, 0]], [[1, 0], [0, 1]], [[0.5, 0.5]], "predictions for 2 texts"),
    ],
)
def test_wrong_input_is_named(truth, answers, probabilities, message) -> None:
    with pytest.raises(InputError, match=message):
        metrics.score_sets(truth, answers, probabilities)
