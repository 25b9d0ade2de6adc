"""Outputs become probabilities by definition, decisions follow from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.metrics import f1_score, precision_recall_curve

from ulmfit.targets.answers import nats, probabilities, values
from ulmfit.targets.decisions import (
    best_threshold,
    choose_thresholds,
    confidence,
    decide,
    right,
    sure_enough,
)

LOGITS = np.random.default_rng(0).normal(0, 3, (50, 2, 4))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_directions_are_averaged_after_the_temperature(temperature: float) -> None:
    scaled = LOGITS / temperature
    for kind, link in [("single", lambda x: softmax(x, -1)), ("multi", expit)]:
        wanted = (link(scaled[:, 0]) + link(scaled[:, 1])) / 2
        assert probabilities(LOGITS, kind, temperature) == pytest.approx(wanted)


def test_outputs_of_any_size_stay_finite() -> None:
    huge = np.array([[[1e5, -1e5, 0.0]]])
    for kind in ("single", "multi", "ordinal"):
        assert np.isfinite(probabilities(huge, kind)).all()


def test_ranks_are_continuation_ratios() -> None:
    """P(rank > k) is the product of the chances to go beyond each rank up to k."""
    got = probabilities(LOGITS[:, :1], "ordinal")
    assert got.shape == (50, 5) and got.sum(1) == pytest.approx(1)
    beyond = expit(LOGITS[:, 0]).cumprod(1)
    for k in range(4):
        assert got[:, k + 1 :].sum(1) == pytest.approx(beyond[:, k])


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=8))
def test_answers_on_ranks_never_contradict_each_other(outputs: list[float]) -> None:
    row = probabilities(np.array(outputs)[None, None], "ordinal")
    beyond = 1 - row[0].cumsum()
    assert (np.diff(beyond) <= 1e-12).all() and (row >= 0).all()


def test_the_median_rank_is_the_nearest_on_average() -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(6) / 2, 200)
    distances = np.abs(np.arange(6)[:, None] - np.arange(6)) @ rows.T  # (answer, text)
    chosen = decide(rows, "ordinal")
    assert distances[chosen, np.arange(200)] == pytest.approx(distances.min(0))
    assert (chosen != rows.argmax(1)).any(), "which the most probable one is not"
    assert decide(np.array([[0.5, 0.5 - 1e-17]]), "ordinal").tolist() == [0]


def test_likelihoods_by_definition() -> None:
    labels = np.arange(50) % 4
    rows = probabilities(LOGITS, "single")
    assert nats(rows, labels, "single") == pytest.approx(-np.log(rows[np.arange(50), labels]))
    sets = LOGITS[:, 0] > 1
    pairs = probabilities(LOGITS, "multi")
    wanted = -(sets * np.log(pairs) + (~sets) * np.log(1 - pairs))
    assert nats(pairs, sets, "multi") == pytest.approx(wanted)


def test_values_are_in_the_users_units() -> None:
    outputs = np.array([[[1.0], [2.0]], [[0.0], [-1.0]]])
    assert values(outputs, mean=10, scale=4).tolist() == [16.0, 8.0]


def test_decisions_and_how_sure_they_are() -> None:
    rows = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]])
    assert decide(rows, "single").tolist() == [0, 0]
    assert confidence(rows, decide(rows, "single"), "single").tolist() == [0.7, 0.4]
    sets = decide(rows, "multi", [0.5, 0.2, 0.3])
    assert sets.tolist() == [[True, True, False], [False, True, False]]
    assert confidence(rows, sets, "multi") == pytest.approx([0.7 * 0.2 * 0.9, 0.6 * 0.35 * 0.75])
    assert decide(rows, "multi").tolist() == [[True, False, False], [False, False, False]]
    assert right(sets, np.array([[1, 1, 0], [1, 1, 0]], bool)).tolist() == [True, False]
    assert right(np.array([0, 1]), np.array([0, 2])).tolist() == [True, False]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_threshold_has_the_best_f1_that_there_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.random(40) < 0.3
    labels[0] = True
    given = np.round(np.clip(labels * 0.3 + random.random(40) * 0.7, 0, 1), 1)  # with ties
    precision, recall, _ = precision_recall_curve(labels, given)
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).max()
    threshold = best_threshold(given, labels)
    assert f1_score(labels, given >= threshold) == pytest.approx(best)


def test_a_class_with_few_texts_takes_the_common_threshold() -> None:
    random = np.random.default_rng(0)
    labels = random.random((100, 3)) < [0.5, 0.4, 0.02]
    labels[:2, 2], labels[2:, 2] = True, False
    given = np.clip(labels * [0.2, 0.6, 0.6] + random.random((100, 3)) * 0.4, 0, 1)
    chosen = choose_thresholds(given, labels)
    assert chosen[2] == best_threshold(given.ravel(), labels.ravel())
    assert chosen[0] == best_threshold(given[:, 0], labels[:, 0]) != chosen[1]
    assert best_threshold(given[:, 0], np.zeros(100, bool)) == 0.5


@pytest.mark.parametrize("coverage", [0.01, 0.333, 0.5, 0.9, 1.0])
def test_enough_texts_are_answered(coverage: float) -> None:
    sure = np.random.default_rng(0).random(60)
    least = sure_enough(sure, coverage)
    assert coverage <= (sure >= least).mean() < coverage + 1 / 60 + 1e-9
