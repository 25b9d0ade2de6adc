"""The word tokenizer."""

from ulmfit.text import WordTokenizer


def test_the_issue_example() -> None:
    assert WordTokenizer().tokens("Good movie!!!!") == "xxmaj good movie xxrep 4 !".split()
