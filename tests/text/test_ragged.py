"""Sequences end to end: taken by compiled code as by arrays, and as a list of lists has them."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.text import ragged
from ulmfit.text.ragged import Ragged

NUMBERS = st.integers(-(2**31), 2**31 - 1)
SEQUENCES = st.lists(st.lists(NUMBERS, max_size=5), min_size=1, max_size=20)


@pytest.mark.parametrize("compiled", [True, False])
@given(rounds=st.lists(SEQUENCES, min_size=1, max_size=4), data=st.data())
def test_they_are_those_of_a_list(
    rounds: list[list[list[int]]], data: st.DataObject, compiled: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(ragged, "code", lambda: None)
        held, listed = Ragged(), list(chain.from_iterable(rounds))
        for sequences in rounds:
            held.extend(sequences)
        assert len(held) == len(listed)
        which = np.array(data.draw(st.lists(st.sampled_from(range(len(listed))))), np.int32)
        got = held.take(which)
        assert got.dtype == np.int32
        assert got.tolist() == list(chain.from_iterable(listed[i] for i in which))
        assert held.lengths(which).tolist() == [len(listed[i]) for i in which]


def test_many_of_them_and_every_second() -> None:
    held = Ragged()
    held.extend([[i] * (i % 4) for i in range(10_000)])
    which = np.arange(10_000, dtype=np.int32)[::2]
    wanted = list(chain.from_iterable([i] * (i % 4) for i in range(0, 10_000, 2)))
    assert held.take(which).tolist() == wanted
