"""What is cut and looked up part by part is what the rules say of the whole form."""

import re
import sys
from itertools import chain, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.text import PAPER_RULES, Rules
from ulmfit.text.characters import CLASSES
from ulmfit.text.cutting import LETTERS, SIGNS, cut, part_units
from ulmfit.text.rules import CAPITALISED, UPPER, mark_case, restore_case
from ulmfit.text.units import Unit, word_units

ALL = "".join(map(chr, range(sys.maxunicode + 1)))
_ASCII = (
    "a ab Abc DR mr don't DON'T n't O'Neil 's ' - -- --- . .. ... ! !!!! , : / & @ _ 1 12",
    "1,000 3.14 12:30 U.S. e.g. p.m R&B http:// www. <unk> xxbos sooo AAAA",
)
_OTHERS = "é İ ß Ж 日 ² ½ \u2019 \u2010 \u2013 \u201c \u0301 \u200d 한"
PIECES = [piece for line in (*_ASCII, _OTHERS) for piece in line.split()]


def _from_parts(form: str, rules: Rules) -> tuple[Unit, ...] | None:
    parts = cut(form)
    return None if parts is None else tuple(chain(*(part_units(part, rules) for part in parts)))


@pytest.mark.parametrize(
    ("rules", "count"), [(Rules(), 3), (PAPER_RULES, 2), (Rules(char_repetition=False), 2)]
)
def test_a_form_has_the_units_of_its_parts(rules: Rules, count: int) -> None:
    taken = 0
    for several in product(PIECES, repeat=count):
        form = "".join(several)
        found = _from_parts(form, rules)
        taken += found is not None
        assert found is None or found == word_units(form, rules), form
    assert taken > len(PIECES) ** count / 20


@given(st.text("aAbnNtT'dr.-,:1&/é!…«", min_size=1, max_size=9))
def test_hostile_forms(form: str) -> None:
    found = _from_parts(form, Rules())
    assert found is None or found == word_units(form, Rules())


def test_letters_and_signs_are_of_their_class_in_all_of_unicode() -> None:
    assert {CLASSES[ord(letter)] for letter in re.findall(f"[{LETTERS}]", ALL)} == {"L"}
    assert {CLASSES[ord(sign)] for sign in SIGNS} == {"P", *".,:-"}


@pytest.mark.parametrize("form", ["film.)", "(Wow!!", '"don\'t"', "well-known,", "1990\u20132000"])
def test_common_forms_are_cut(form: str) -> None:
    assert "".join(cut(form) or ()) == form


@given(st.text("abAB", min_size=1, max_size=10))
def test_the_case_of_plain_words_is_marked_where_it_can_be_restored(word: str) -> None:
    mark, lowered = mark_case(word, Rules())
    assert lowered == word.lower()
    marks = [m for m in (CAPITALISED, UPPER) if restore_case(m, lowered) == word != lowered]
    assert mark == (marks[0] if marks else None)
