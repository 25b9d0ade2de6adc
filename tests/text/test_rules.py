"""Each rule, by its switch."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.errors import InputError
from ulmfit.text import PAPER_RULES, Rules, WordTokenizer
from ulmfit.text.rules import (
    collapse_elongation,
    mark_case,
    normalise_spaces,
    repair_html,
    restore_case,
    stretch,
)


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("a<br />b<BR>c<br/>d", "a\nb\nc\nd"),
        ("Tom &amp; Ann &amp;amp; Bob", "Tom & Ann & Bob"),
        ("it&#39;s it #39;s it&#x27;s", "it's it's it's"),
        (" quot;key quot;", ' "key "'),
        ("&lt;b&gt;bold&lt;/b&gt; &copy; caf&eacute;", "bold © café"),
        ('say \\"yes\\"\\n\\nthe end\\nNext', 'say "yes"\nthe end\nNext'),
        ("well @-@ known 1 @,@ 000 3 @.@ 14", "well-known 1,000 3.14"),
        ('<a href="http://x.org">link</a> nbsp;', "link  "),
    ],
)
def test_html_leftovers_are_repaired(broken: str, whole: str) -> None:
    assert repair_html(broken) == whole


@pytest.mark.parametrize(
    "text", ["AT&T &c.", "a < b and c > d", "C:\\new", "<unk> <3", "x &notanentity y", "R&D; #39"]
)
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert repair_html(text) == text


def test_every_space_and_line_end_becomes_the_same() -> None:
    assert normalise_spaces("a\r\nb\rc\u2028d\te\u00a0f\u200bg\ufeff") == "a\nb\nc\nd e fg"


@given(st.text(max_size=30))
def test_case_is_marked_only_where_it_can_be_restored(word: str) -> None:
    mark, bare = mark_case(word, Rules())
    if mark:
        assert mark_case(restore_case(mark, bare), Rules()) == (mark, bare)


@given(st.text("abcAB", max_size=30))
def test_elongations_can_be_written_back(word: str) -> None:
    collapsed, runs = collapse_elongation(word)
    for length, letter in runs:
        longer = stretch(collapsed, length, letter)
        assert longer is not None
        collapsed = longer
    assert collapsed == word


EXAMPLE = "WOW! Good &amp; soooo iPhone ... no no no\u00a0!!!!"
TOKENS = "xxup wow ! xxmaj good & so xxrep 4 o iphone ... xxwrep 3 no xxrep 4 !"


def test_all_rules_together() -> None:
    assert WordTokenizer().tokens(EXAMPLE) == TOKENS.split()


@pytest.mark.parametrize(
    ("switch", "tokens"),
    [
        ("html", TOKENS.replace("& ", "& amp ; ")),
        ("char_repetition", TOKENS.replace("so xxrep 4 o", "soooo").replace("xxrep", "xxwrep")),
        ("word_repetition", TOKENS.replace("xxwrep 3 no", "no no no")),
        ("upper", TOKENS.replace("xxup ", "")),
        ("capitalised", TOKENS.replace("xxmaj ", "")),
        ("lower", TOKENS.replace("iphone", "iPhone")),
        ("spaces", TOKENS),
    ],
)
def test_each_switch_turns_off_one_rule(switch: str, tokens: str) -> None:
    assert WordTokenizer(replace(Rules(), **{switch: False})).tokens(EXAMPLE) == tokens.split()


def test_spaces_off_keeps_zero_width_characters() -> None:
    assert WordTokenizer(Rules(spaces=False)).tokens("a \u200b b") == ["a", "\u200b", "b"]
    assert WordTokenizer().tokens("a \u200b b") == ["a", "b"]


def test_no_rule_on_leaves_words_as_they_are() -> None:
    off = Rules(**{field.name: False for field in fields(Rules)})
    assert WordTokenizer(off).tokens("WOW sooo Good") == ["WOW", "sooo", "Good"]


def test_the_papers_three() -> None:
    tokens = WordTokenizer(PAPER_RULES).tokens("Good GOOD gooooal no no no")
    assert tokens == ["good", "xxup", "good", "goal", "xxrep", "4", "o", "xxwrep", "3", "no"]


@pytest.mark.parametrize("bad", [None, [], {}, {"html": True}, {**Rules().to_dict(), "html": 1}])
def test_rules_from_elsewhere_are_checked(bad: object) -> None:
    with pytest.raises(InputError, match="rules"):
        Rules.from_dict(bad)
