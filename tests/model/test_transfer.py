"""A model moves to a new vocabulary by name; a new word takes the mean row."""

import pytest
import torch

from ulmfit.model.transfer import transfer_rows

OLD = ["a", "b", "c"]


def test_known_words_keep_their_rows_wherever_they_stand() -> None:
    rows = torch.tensor([[1.0, 10], [2, 20], [6, 60]])
    new = transfer_rows(rows, OLD, ["c", "new", "a", "other"])
    assert new.tolist() == [[6, 60], [3, 30], [1, 10], [3, 30]]


def test_a_bias_moves_too() -> None:
    assert transfer_rows(torch.tensor([1.0, 2, 6]), OLD, ["b", "x"]).tolist() == [2, 3]


def test_the_same_vocabulary_changes_no_bit_and_shares_no_memory() -> None:
    rows = torch.randn(3, 4)
    moved = transfer_rows(rows, OLD, OLD)
    assert torch.equal(moved, rows)
    assert moved.data_ptr() != rows.data_ptr()


def test_rows_and_words_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 rows for a vocabulary of 3 words"):
        transfer_rows(torch.zeros(2, 4), OLD, OLD)
