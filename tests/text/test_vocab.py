"""Tokens and their ids."""

import pytest

from ulmfit.errors import InputError
from ulmfit.text import Vocab
from ulmfit.text.specials import SPECIALS


def test_special_tokens_first_then_by_falling_count_ties_by_name() -> None:
    vocab = Vocab.from_counts({"b": 3, "a": 3, "c": 9, "rare": 1, "xxmaj": 4})
    assert vocab.tokens == [*SPECIALS, "c", "a", "b"]
    assert [vocab.id(token) for token in ("xxunk", "xxpad", "xxbos", "c", "rare")] == [
        0,
        1,
        2,
        8,
        0,
    ]
    assert vocab.token(8) == "c"
    assert len(vocab) == 11


def test_size_counts_the_special_tokens() -> None:
    counts = {str(number): number for number in range(2, 100)}
    assert len(Vocab.from_counts(counts, max_size=20)) == 20
    with pytest.raises(InputError, match="max_size is 5"):
        Vocab.from_counts(counts, max_size=5)


def test_out_of_vocabulary_rate_is_the_share_of_tokens_dropped() -> None:
    assert Vocab.from_counts({"a": 6, "b": 3, "c": 1}).oov_rate == 0.1


def test_ids_outside_are_errors() -> None:
    vocab = Vocab.from_counts({"a": 2})
    for i in (-1, 9):
        with pytest.raises(IndexError):
            vocab.token(i)


@pytest.mark.parametrize(
    ("tokens", "counts", "message"),
    [
        (["a", *SPECIALS], None, "first tokens"),
        ([*SPECIALS, "a", "a"], None, "'a' stands twice"),
        ([*SPECIALS], [1], "1 counts for 8 tokens"),
    ],
)
def test_a_wrong_list_is_refused(tokens: list[str], counts: list[int] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Vocab(tokens, counts)
