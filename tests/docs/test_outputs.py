"""When an output is what its page shows."""

import pytest
from outputs import differs


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one\ntwo\n", "one\ntwo"),
        ("a  b", "a b"),  # columns move with what is in them
        ("...\nlast", "last"),
        ("...\nlast", "first\nsecond\nlast"),
        ("first\n...", "first"),
        ("from ... to ...", "from here to there (95%)"),
        ("", ""),
    ],
)
def test_the_same(shown: str, printed: str) -> None:
    assert differs(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one", "two"),
        ("one", "one\ntwo"),
        ("one\ntwo", "one"),
        ("accuracy 50.00%", "accuracy 51.00%"),
        ("from ... to", "from a\nb to"),  # within a line
        ("a.c", "abc"),
        ("", "something"),
    ],
)
def test_not_the_same(shown: str, printed: str) -> None:
    assert differs(shown, printed)


def test_figures_may_vary_and_words_may_not() -> None:
    shown = "accuracy 91.20% on 1,200 rows, loss 1e-05"
    assert differs(shown, "accuracy 5% on 8 rows, loss 0.7", figures_vary=True) is None
    assert differs(shown, "precision 5% on 8 rows, loss 0.7", figures_vary=True)
    assert differs(shown, "accuracy many on 8 rows, loss 0.7", figures_vary=True)


def test_the_difference_is_shown() -> None:
    told = differs("one\ntwo", "one\nthree")
    assert told and "-two" in told and "+three" in told
