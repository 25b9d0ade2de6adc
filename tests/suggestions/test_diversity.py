"""Suggestions are uncertain, unlike each other, and their first k are a choice of k."""

import numpy as np
import pytest

from ulmfit.suggestions.diversity import choose, unit_vectors


@pytest.fixture
def groups() -> np.ndarray:
    """Five groups of 20 points near each other, far from those of the other groups."""
    draw = np.random.default_rng(0)
    centres = np.repeat(np.eye(5), 20, axis=0)
    return unit_vectors((centres + draw.normal(scale=0.005, size=(100, 5))).astype(np.float32))


def test_each_group_is_taken_before_one_is_taken_twice(groups):
    chosen = choose(groups, np.ones(100), 5)
    assert {row // 20 for row in chosen.rows} == set(range(5))
    assert min(chosen.distances) > 1


def test_uncertain_ones_alone_would_stay_in_one_group(groups):
    """What the most uncertain five are like: the reason for looking at distances at all."""
    weights = np.concatenate([np.full(20, 1.0), np.full(80, 0.5)])
    assert {row // 20 for row in np.argsort(-weights, kind="stable")[:5]} == {0}
    assert len({row // 20 for row in choose(groups, weights, 5).rows}) == 5


def test_the_most_uncertain_comes_first_and_certain_ones_hardly(groups):
    weights = np.zeros(100)
    weights[[7, 30, 50]] = 0.9, 1.0, 0.8
    rows = choose(groups, weights, 4).rows
    assert rows[0] == 30
    assert set(rows[:3]) == {7, 30, 50}


def test_a_choice_begins_with_the_smaller_one(groups):
    weights = np.random.default_rng(1).random(100)
    assert choose(groups, weights, 30).rows[:10] == choose(groups, weights, 10).rows


def test_nothing_is_taken_twice_and_like_ones_are_left(groups):
    twice = np.concatenate([groups[:10], groups[:10]])
    rows = choose(twice, np.ones(20), 20).rows
    assert len({row % 10 for row in rows}) == len(rows) == 10


def test_the_seed_decides(groups):
    first, again, other = (choose(groups, np.ones(100), 40, seed).rows for seed in (0, 0, 1))
    assert first == again != other


def test_no_points():
    assert choose(np.empty((0, 3), np.float32), np.empty(0), 5).rows == []


def test_features_without_spread_are_survived():
    vectors = np.array([[1, 5], [1, 7], [1, 5]], np.float32)
    unit = unit_vectors(vectors)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    same = unit_vectors(np.ones((3, 2), np.float32))
    assert np.isfinite(same).all()
