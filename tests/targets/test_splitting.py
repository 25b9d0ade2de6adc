"""What is held out, and what is drawn, looks like the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulmfit.targets import splitting
from ulmfit.targets.drawing import balanced
from ulmfit.targets.splitting import stratified_split

NAMES = ["a", "b", "c", "d", "e", "f"]


def sets(seed: int, n: int = 400) -> np.ndarray:
    """Six classes, from one in two texts to one in a hundred, each in four texts at least."""
    random = np.random.default_rng(seed)
    labels = random.random((n, 6)) < [0.5, 0.3, 0.1, 0.05, 0.02, 0.01]
    labels[:4] = True
    return labels


@given(st.integers(0, 10**6), st.integers(8, 60))
@settings(max_examples=60)
def test_every_class_of_a_set_stays_in_training(seed: int, n: int) -> None:
    labels = sets(seed, n)
    labels[2:4, 4:] = False  # two texts have the rarest
    train, valid = stratified_split(labels, NAMES, 0.1, seed, "multi")
    assert sorted([*train, *valid]) == list(range(n))
    assert labels[train].any(0).all() and len(valid)


@pytest.mark.parametrize("seed", range(5))
def test_iterative_stratification_keeps_the_shares_of_the_classes(seed: int) -> None:
    labels = sets(seed)
    _, valid = stratified_split(labels, NAMES, 0.1, 0, "multi")
    wanted = np.maximum(1, np.round(0.1 * labels.sum(0)))
    off = np.abs(labels[valid].sum(0) - wanted)
    random = np.random.default_rng(seed)
    by_chance = [
        np.abs(labels[random.permutation(400)[:40]].sum(0) - wanted).mean() for _ in range(200)
    ]
    assert off.mean() < np.mean(by_chance) / 2
    assert off.max() <= 2 and abs(len(valid) - 40) <= 4
    assert labels[valid].any(0).all(), "each can be checked"


def test_a_class_that_would_be_held_out_whole_gives_a_row_back() -> None:
    labels = np.zeros((6, 3), bool)
    labels[[0, 1], 0] = labels[[0, 2], 1] = labels[[1, 3], 2] = True
    for seed in range(50):
        train, _ = stratified_split(labels, ["a", "b", "c"], 0.1, seed, "multi")
        assert labels[train].any(0).all()


def long_tailed(n: int, classes: int) -> np.ndarray:
    """Three classes a text, the k-th in proportion to 1 / k; those of two texts and more."""
    random, shares = np.random.default_rng(n), 1 / np.arange(1, classes + 1)
    labels = np.zeros((n, classes), bool)
    for row in labels:
        row[random.choice(classes, 3, replace=False, p=shares / shares.sum())] = True
    return labels[:, labels.sum(0) > 1]


@pytest.mark.parametrize(("n", "classes"), [(50, 40), (200, 100), (1000, 300)])
def test_many_rare_classes_hold_out_no_third_of_the_rows(n: int, classes: int) -> None:
    labels = long_tailed(n, classes)
    for seed in range(5):
        train, valid = stratified_split(
            labels, [str(i) for i in range(labels.shape[1])], 0.1, seed, "multi"
        )
        assert 0.1 * n <= len(valid) <= np.ceil(0.15 * n)
        assert labels[train].any(0).all()


def test_a_handful_of_sets_leaves_two_rows_to_learn_from() -> None:
    labels = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], bool)
    for seed in range(50):
        train, valid = stratified_split(labels, NAMES[:3], 0.1, seed, "multi")
        assert len(train) >= 2 and len(valid) and labels[train].any(0).all()


def test_the_bound_moves_no_row_where_classes_are_frequent(monkeypatch) -> None:
    splits = [stratified_split(sets(seed), NAMES, 0.1, seed, "multi")[1] for seed in range(5)]
    monkeypatch.setattr(splitting, "MOST", 100)
    for seed, valid in enumerate(splits):
        unbounded = stratified_split(sets(seed), NAMES, 0.1, seed, "multi")[1]
        assert valid.tolist() == unbounded.tolist()


@pytest.mark.parametrize("n", [4, 9, 57, 1000])
def test_values_are_held_out_from_low_to_high(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    train, valid = stratified_split(values, [], 0.1, 1, "real")
    assert len(valid) == max(1, round(0.1 * n)) and len(train) + len(valid) == n
    ranks = np.argsort(np.argsort(values))[valid]
    groups = np.array_split(np.arange(n), len(valid))
    assert all(sum(r in group for r in ranks) == 1 for group in groups)


def test_ranks_are_split_as_classes_are() -> None:
    labels = np.array([0] * 50 + [1] * 2 + [2] * 9)
    single = stratified_split(labels, NAMES[:3], 0.1, 3)
    ordinal = stratified_split(labels, NAMES[:3], 0.1, 3, "ordinal")
    assert all((a == b).all() for a, b in zip(single, ordinal, strict=True))


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal", "real"])
def test_a_split_and_a_draw_hang_on_the_seed_alone(kind) -> None:
    labels = {
        "multi": sets(0),
        "real": np.random.default_rng(0).normal(size=400),
    }.get(kind, np.arange(400) % 3)
    names = [] if kind == "real" else NAMES[: 6 if kind == "multi" else 3]
    for make in (
        lambda seed: stratified_split(labels, names, 0.1, seed, kind)[1],
        lambda seed: balanced(labels, len(names), kind, 40, seed),
    ):
        assert make(0).tolist() == make(0).tolist() != make(1).tolist()


def test_a_draw_of_sets_favours_the_rare() -> None:
    labels = sets(0)
    drawn = balanced(labels, 6, "multi", 60, 0)
    assert len(set(drawn.tolist())) == 60
    everyday = balanced(labels, 6, "multi", 400, 0)
    assert everyday.tolist() == list(range(400)), "all rows, where all are wanted"
    counts, whole = labels[drawn].sum(0), labels.sum(0)
    rare = counts >= np.minimum(whole, 8)
    assert rare.all(), (counts, whole)
    assert (~labels[drawn].any(1)).sum() >= 8, "texts without a class are there too"


def test_a_draw_of_values_is_spread_as_they_are() -> None:
    values = np.random.default_rng(0).exponential(size=1000)
    drawn = balanced(values, 0, "real", 50, 0)
    for share in (0.1, 0.5, 0.9):
        at = np.quantile(values, share)
        assert (values[drawn] < at).mean() == pytest.approx(share, abs=0.021)
