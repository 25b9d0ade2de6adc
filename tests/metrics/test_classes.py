"""The metrics against scikit-learn and against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from ulmfit import metrics
from ulmfit.errors import InputError

CLASSES = 5


def draw(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, CLASSES, n), random.dirichlet(np.ones(CLASSES), n)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [1, 7, 200])
def test_agrees_with_scikit_learn(seed: int, n: int) -> None:
    truth, probabilities = draw(seed, n)
    predicted = probabilities.argmax(axis=1)
    labels = range(CLASSES)
    assert metrics.accuracy(truth, predicted) == sk.accuracy_score(truth, predicted)
    assert metrics.macro_f1(truth, predicted) == pytest.approx(
        sk.f1_score(truth, predicted, average="macro", zero_division=0)
    )
    assert metrics.log_loss(truth, probabilities) == pytest.approx(
        sk.log_loss(truth, probabilities, labels=labels)
    )
    assert (
        metrics.confusion_matrix(truth, predicted, CLASSES).tolist()
        == sk.confusion_matrix(truth, predicted, labels=labels).tolist()
    )


def test_a_wrong_certainty_costs_what_scikit_learn_says() -> None:
    truth, probabilities = [0, 1], np.array([[0.0, 1.0], [0.0, 1.0]])
    assert metrics.log_loss(truth, probabilities) == pytest.approx(
        sk.log_loss(truth, probabilities)
    )


def test_score_gathers_the_single_figures() -> None:
    truth, probabilities = draw(9)
    predicted = probabilities.argmax(axis=1)
    scores = metrics.score(truth, probabilities)
    assert scores.n == 200
    assert scores.accuracy == metrics.accuracy(truth, predicted)
    assert scores.accuracy_ci == metrics.wilson_interval(int((truth == predicted).sum()), 200)
    assert scores.macro_f1 == metrics.macro_f1(truth, predicted)
    assert scores.log_loss == metrics.log_loss(truth, probabilities)
    assert sum(map(sum, scores.confusion)) == 200
    assert scores.confusion[0] == [int(((truth == 0) & (predicted == c)).sum()) for c in range(5)]


def test_wilson_matches_published_values() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
    published = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611)}
    for (right, n), interval in published.items():
        assert metrics.wilson_interval(right, n) == pytest.approx(interval, abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_its_equation(case: tuple[int, int]) -> None:
    """Each end p satisfies (share - p)^2 = z^2 p (1 - p) / n."""
    right, n = case
    share = right / n
    low, high = metrics.wilson_interval(right, n)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        assert (share - end) ** 2 == pytest.approx(
            metrics.Z_95**2 * end * (1 - end) / n, abs=1e-12, rel=1e-6
        )


def test_calibration_error_of_known_cases() -> None:
    # Four texts at 0.75 of which three are right: perfectly calibrated.
    sure = np.tile([0.75, 0.25], (4, 1))
    assert metrics.expected_calibration_error([0, 0, 0, 1], sure) == pytest.approx(0)
    # The same with none right: off by all of 0.75.
    assert metrics.expected_calibration_error([1, 1, 1, 1], sure) == pytest.approx(0.75)
    # Two bins of one text each: |1 - 0.9| and |0 - 0.6|, halved.
    two = np.array([[0.9, 0.1], [0.6, 0.4]])
    assert metrics.expected_calibration_error([0, 1], two) == pytest.approx((0.1 + 0.6) / 2)
    # In one bin they cancel in part: |(0.1 - 0.6) / 2|.
    assert metrics.expected_calibration_error([0, 1], two, bins=1) == pytest.approx(0.25)
    certain = np.array([[1.0, 0.0]])
    assert metrics.expected_calibration_error([0], certain) == 0


@pytest.mark.parametrize("seed", range(3))
def test_calibration_error_counts_as_its_definition(seed: int) -> None:
    truth, probabilities = draw(seed)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    expected = 0.0
    for low in range(15):
        inside = (sure > low / 15) & (sure <= (low + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert metrics.expected_calibration_error(truth, probabilities) == pytest.approx(expected)


def test_a_uniform_guess_has_the_perplexity_of_its_vocabulary() -> None:
    nats = 500 * math.log(30_000)
    assert metrics.nats_per_token(nats, 500) == pytest.approx(math.log(30_000))
    assert metrics.word_perplexity(nats, 500) == pytest.approx(30_000)
    # Two tokens to a word square it.
    assert metrics.word_perplexity(nats, 250) == pytest.approx(30_000**2)
    # 256 equally likely bytes are eight bits.
    assert metrics.bits_per_byte(100 * math.log(256), 100) == pytest.approx(8)


def test_a_hopeless_model_is_infinitely_perplexed() -> None:
    assert metrics.word_perplexity(1e6, 1) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy([0, 1], [0]), "2 true classes"),
        (lambda: metrics.accuracy([], []), "at least one"),
        (lambda: metrics.accuracy([0.5], [0]), "whole numbers"),
        (lambda: metrics.accuracy([-1], [0]), "whole numbers"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 1], 3), "class 3"),
        (lambda: metrics.log_loss([2], [[0.5, 0.5]]), "class 2"),
        (lambda: metrics.log_loss([0], [0.5, 0.5]), r"\(texts, classes\)"),
        (lambda: metrics.log_loss([0, 0], [[0.5, 0.5], [0.5, 0.6]]), "text 1"),
        (lambda: metrics.log_loss([0], [[math.nan, 1.0]]), "text 0"),
        (lambda: metrics.log_loss([0], [[-0.5, 1.5]]), "text 0"),
        (lambda: metrics.wilson_interval(3, 2), "3 right of 2"),
        (lambda: metrics.wilson_interval(0, 0), "n >= 1"),
        (lambda: metrics.expected_calibration_error([0], [[1.0]], bins=0), "0 bins"),
        (lambda: metrics.word_perplexity(1.0, 0), "0 words"),
        (lambda: metrics.bits_per_byte(1.0, 0), "0 bytes"),
    ],
)
def test_wrong_input_is_named(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=message):
        call()
