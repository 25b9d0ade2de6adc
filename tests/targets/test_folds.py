"""Folds: each row in one, every fold like the whole, and nothing left that cannot be learned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ulmfit.errors import InputError
from ulmfit.targets.folds import stratified_folds
from ulmfit.targets.kinds import Kind

NAMES = ["a", "b", "c"]


def classes(counts: list[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(counts)), counts)


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(5, 40), min_size=2, max_size=4),
    folds=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_folds_and_the_classes_in_them_differ_by_one_at_most(
    counts: list[int], folds: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(classes(counts))
    names = [str(i) for i in range(len(counts))]
    dealt = stratified_folds(labels, names, folds, seed)
    sizes = np.bincount(dealt, minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    for number in range(len(counts)):
        each = np.bincount(dealt[labels == number], minlength=folds)
        assert each.max() - each.min() <= 1


def test_a_seed_deals_anew_and_the_same_seed_the_same() -> None:
    labels = classes([30, 20, 10])
    first = stratified_folds(labels, NAMES, 4, seed=1)
    assert (first == stratified_folds(labels, NAMES, 4, seed=1)).all()
    assert (first != stratified_folds(labels, NAMES, 4, seed=2)).mean() > 0.5


def test_values_of_every_height_stand_in_every_fold() -> None:
    values = np.random.default_rng(0).exponential(size=203)
    dealt = stratified_folds(values, [], 5, seed=0, kind="real")
    order = np.argsort(values)
    for start in range(0, 200, 5):  # each five neighbours in value are in five folds
        assert sorted(dealt[order[start : start + 5]]) == [0, 1, 2, 3, 4]
    neighbours = dealt[order[:200]].reshape(-1, 5)
    assert len({tuple(row) for row in neighbours}) > 10  # in no fixed order


def test_sets_keep_the_shares_of_rare_and_common_classes() -> None:
    generator = np.random.default_rng(0)
    labels = generator.random((400, 4)) < np.array([0.5, 0.2, 0.05, 0.02])
    dealt = stratified_folds(labels, [*NAMES, "d"], 4, seed=0, kind="multi")
    sizes = np.bincount(dealt)
    assert sizes.max() - sizes.min() <= 4
    for column in labels.T:
        each = np.bincount(dealt[column], minlength=4)
        assert each.max() - each.min() <= 2


def test_sets_are_stratified_as_by_chance_they_are_not() -> None:
    generator = np.random.default_rng(1)
    labels = generator.random((100, 3)) < 0.08

    def spread(dealt: NDArray[np.int64]) -> float:
        return float(np.std([labels[dealt == f].sum(0) for f in range(5)], axis=0).sum())

    mine = spread(stratified_folds(labels, NAMES, 5, seed=0, kind="multi"))
    random = np.mean([spread(generator.permutation(100) % 5) for _ in range(50)])
    assert mine < 0.5 * random


@pytest.mark.parametrize(
    ("counts", "folds", "match"),
    [
        ([5, 5], 1, "1 folds of 10 .* choose 2 to 10"),
        ([5, 5], 11, "11 folds of 10"),
        ([9, 2], 5, r"without fold \d of 5: label 'b' has 1 row.*fewer folds"),
        ([9, 1], 2, "label 'b' has 1 row"),
        ([9], 2, "one label only"),
    ],
)
def test_what_cannot_be_learned_from(counts: list[int], folds: int, match: str) -> None:
    with pytest.raises(InputError, match=match):
        stratified_folds(classes(counts), NAMES[: len(counts)], folds, seed=0)


@pytest.mark.parametrize("kind", ["single", "ordinal"])
def test_as_many_folds_as_rows_leave_one_out(kind: Kind) -> None:
    dealt = stratified_folds(classes([4, 4]), NAMES[:2], 8, seed=0, kind=kind)
    assert sorted(dealt) == list(range(8))


def test_only_folds_that_are_held_out_must_leave_enough() -> None:
    labels, names = np.repeat([0, 1, 2], [20, 20, 2]), ["a", "b", "c"]
    for seed in range(5):
        with pytest.raises(InputError, match=r"without fold . of 5: label 'c' has 1 row.*fewer"):
            stratified_folds(labels, names, 5, seed)
    dealt = []
    for seed in range(20):
        try:
            dealt.append(stratified_folds(labels, names, 5, seed, used=1))
        except InputError as error:
            assert str(error).startswith("without the rows that are held out: label 'c'")
    assert len(dealt) > 5 and all((d[40:] != 0).all() for d in dealt)
