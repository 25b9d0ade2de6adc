"""Compiled numbering of forms against the dict, on any text; and a machine without a compiler."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ulmfit.text.tokenizer
from ulmfit.text import native_code, numbering
from ulmfit.text.cutting import cut, part_units
from ulmfit.text.numbering import (
    CompiledNumbering,
    DictNumbering,
    Numbered,
    Numbering,
    pieces,
)
from ulmfit.text.parallel import map_chunks
from ulmfit.text.rules import Rules
from ulmfit.text.tokenizer import WordTokenizer
from ulmfit.text.units import Unit

# Few characters: the same forms come again, of every length around 8 and 16 bytes.
TEXTS = st.lists(
    st.one_of(
        st.text("ab \n", max_size=60),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.sampled_from(["", " ", "\n", "\0", "a" * 7, "a" * 8, "a" * 9, "a" * 16, "a" * 17]),
    ),
    max_size=8,
)


def both(*, cuts: bool = True) -> tuple[Numbering, Numbering]:
    found = native_code.code()
    if found is None:
        pytest.skip("there is no C compiler")
    return CompiledNumbering(found, cuts=cuts), DictNumbering()


@pytest.mark.parametrize("cuts", [True, False])
@given(rounds=st.lists(TEXTS, max_size=4))
def test_both_number_alike(rounds: list[list[str]], cuts: bool) -> None:
    ours, reference = both(cuts=cuts)
    parts: list[str] = []
    for texts in rounds:
        got, wanted = ours.number(texts), reference.number(texts)
        np.testing.assert_array_equal(got.numbers, wanted.numbers)
        parts += got.new_parts
        assert whole(got, parts) == wanted.new_parts
        assert got.characters == sum(len(form.encode()) for form in wanted.new_parts)
        assert cuts or not any(got.is_cut)


def whole(numbered: Numbered, parts: list[str]) -> list[str]:
    """The new forms, put together from parts."""
    ends = np.cumsum(numbered.lengths)
    return [
        "".join(parts[part] for part in numbered.parts[end - length : end])
        for end, length in zip(ends, numbered.lengths, strict=True)
    ]


@given(st.text("aAwtT'dr.-,:1&/!…  ", max_size=30))
def test_what_is_cut_is_cut_as_the_reference_cuts_it(text: str) -> None:
    found = both()[0].number([text])
    forms = list(dict.fromkeys(filter(None, text.split(" "))))
    ends = np.cumsum(found.lengths)
    for form, end, length in zip(forms, ends, found.lengths, strict=True):
        parts = found.parts[end - length : end]
        if all(found.is_cut[part] for part in parts):
            assert [found.new_parts[part] for part in parts] == cut(form)
        else:
            assert [found.new_parts[part] for part in parts] == [form]


def test_plain_forms_are_cut() -> None:
    found = both()[0].number(["(don't!! film.), well-known 1,000.5 U.S.A x.y.z) 12:30pm ab.cd"])
    assert all(found.is_cut)
    assert found.new_parts == [
        *("(", "don't", "!!", "film", ".", ")", ",", "well", "-", "known", "1,000.5", "U.S.A"),
        *("x.y.z", "12:30", "pm", "ab", "cd"),
    ]


@pytest.mark.parametrize("form", ["-", "a@b", "www.x", "http://x", "Mr.", "x.", "n't", "é", "'s"])
def test_forms_that_take_a_closer_look_are_not_cut(form: str) -> None:
    found = both()[0].number([form])
    assert (found.new_parts, found.is_cut) == ([form], [False])


def test_by_hand() -> None:
    for ours in both(cuts=False):
        first = ours.number(["a  b\na", "", "b c"])
        assert first.numbers.tolist() == [0, 2, 3, 1, 2, 0, 0, 3, 4]
        assert (first.new_parts, first.parts.tolist()) == (["a", "b", "c"], [0, 1, 2])
        second = ours.number(["c d\n"])
        assert (second.numbers.tolist(), second.parts.tolist()) == ([0, 4, 5, 1], [3])


def test_many_forms_and_a_form_of_a_million() -> None:
    ours, reference = both(cuts=False)
    words = " ".join(map(str, range(200_000)))
    long = "x" * 1_000_000
    for texts in ([words, long], [words[::-1]], [words, long + "y", long]):
        got, wanted = ours.number(texts), reference.number(texts)
        assert got.new_parts == wanted.new_parts
        assert np.array_equal(got.numbers, wanted.numbers)


def test_pieces_are_bounded_and_lose_nothing() -> None:
    texts = ["a" * size for size in (10, 70_000, 30_000, 30_000, 30_000, 5)]
    found = list(pieces(texts))
    assert list(chain.from_iterable(found)) == texts
    assert [len(piece) for piece in found] == [2, 3, 1]


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CC", "")
    native_code.code.cache_clear()
    native_code.compiled._found.cache_clear()
    yield
    native_code.code.cache_clear()
    native_code.compiled._found.cache_clear()


def test_without_a_compiler_the_dict_does_it_and_that_is_told_once(uncompiled: None) -> None:
    with pytest.warns(UserWarning, match="slower here, in Python: there is no C compiler"):
        assert isinstance(numbering.numbering(cuts=True), DictNumbering)
    assert isinstance(numbering.numbering(cuts=True), DictNumbering)
    assert WordTokenizer().tokens("Good movie!!!!") == ["xxmaj", "good", "movie", "xxrep", "4", "!"]


def test_workers_do_not_tell_it_again(uncompiled: None, capfd: pytest.CaptureFixture[str]) -> None:
    texts = ["good movie " * 100_000] * 3
    told = list(map_chunks(what_numbers, None, texts, workers=2))
    assert told == ["DictNumbering"] * 3
    assert capfd.readouterr().err == ""


def what_numbers(_: None, chunk: list[str]) -> str:
    return type(numbering.numbering(cuts=True)).__name__


def test_what_fails_while_a_word_is_learned_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = WordTokenizer(Rules())
    before = tokenizer.tokens("one two three")

    def interrupted(part: str, rules: Rules) -> tuple[Unit, ...]:
        if part == "five":
            raise KeyboardInterrupt
        return part_units(part, rules)

    with monkeypatch.context() as patch:
        patch.setattr(ulmfit.text.tokenizer, "part_units", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tokenizer.tokens("one four five six")
    assert tokenizer.tokens("one two three") == before
    assert tokenizer.tokens("four five six") == ["four", "five", "six"]


def test_threads_share_a_tokenizer() -> None:
    tokenizer = WordTokenizer()
    texts = [" ".join(f"w{(i + 1) * j % 4001}" for j in range(300)) for i in range(200)]
    wanted = [text.split(" ") for text in texts]
    wrong: list[int] = []

    def work() -> None:
        for place, text in enumerate(texts):
            if tokenizer.tokens(text) != wanted[place]:
                wrong.append(place)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


ENDING = """
import threading, time
from ulmfit.text.tokenizer import WordTokenizer

def work(tokenizer=WordTokenizer(), text=" ".join(map(str, range(400_000)))):
    while True:
        tokenizer.code([text])

threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
"""


def test_python_may_end_while_a_thread_is_at_work() -> None:
    importing = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", ENDING], env=importing, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
