"""Batches of documents: everything once, little padding, nothing alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ulmfit.data.batches import POOL, inference_order, pad, training_order

PAD = 1


def lengths(count: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(1, 500, count)


@settings(deadline=None, derandomize=True)
@given(count=st.integers(1, 700), batch=st.integers(2, 9), seed=st.integers(0, 5))
def test_an_epoch_has_every_document_once_and_none_alone(count: int, batch: int, seed: int) -> None:
    order = training_order(lengths(count), batch, seed)
    assert sorted(np.concatenate(order).tolist()) == list(range(count))
    sizes = [len(rows) for rows in order]
    assert max(sizes) <= batch + 1
    if count > 1:
        assert min(sizes) > 1, "batch norm needs two"


def test_epochs_differ_by_seed_and_repeat_by_seed() -> None:
    def told(seed: int) -> list[list[int]]:
        return [rows.tolist() for rows in training_order(lengths(300), 8, seed)]

    assert told(1) == told(1)
    assert told(1) != told(2)
    assert sorted(map(sorted, told(1))) != sorted(map(sorted, told(2))), "other companions too"


def test_there_is_little_padding() -> None:
    sizes = lengths(8 * POOL)
    padded = sum(int(sizes[rows].max()) * len(rows) for rows in training_order(sizes, 8, 0))
    assert padded < 1.05 * sizes.sum()


def test_the_batches_of_an_epoch_are_not_in_order_of_length() -> None:
    sizes = lengths(8 * POOL)
    longest = [int(sizes[rows].max()) for rows in training_order(sizes, 8, 0)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.4


@settings(deadline=None, derandomize=True)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=60), tokens=st.integers(1, 5000))
def test_inference_sees_every_document_once_within_the_room(sizes: list[int], tokens: int) -> None:
    counted = np.array(sizes)
    batches = list(inference_order(counted, tokens))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(sizes)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * counted[rows].max() <= tokens


def test_padding_stands_at_the_end() -> None:
    documents = [np.array([2, 5, 6]), np.array([2]), np.array([2, 7])]
    batch = pad(documents, np.array([2, 0]), PAD)
    assert batch.ids.T.tolist() == [[2, 7, PAD], [2, 5, 6]]
    assert batch.lengths.tolist() == [2, 3]
    assert batch.rows.tolist() == [2, 0]
    assert batch.ids.dtype == np.int64


@pytest.mark.parametrize("count", [1, 2])
def test_a_single_document_is_still_a_batch(count: int) -> None:
    assert [len(rows) for rows in training_order(lengths(count), 4, 0)] == [count]
