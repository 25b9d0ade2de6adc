"""The same explanation in colours and in plain signs; nothing in it steers the terminal."""

import io
import re

import pytest
from rich.console import Console

from ulmfit.explanations.explanation import Explanation, Word
from ulmfit.explanations.terminal import coloured, plain, probability_without


@pytest.fixture
def explained() -> Explanation:
    text = "a GOOD film,\nnot bad"
    words = tuple(
        Word(start, end, text[start:end], score)
        for (start, end), score in zip(
            [found.span() for found in re.finditer(r"\w+", text)], [0, 2.0, 0.01, -1.0, 0.5],
            strict=True,
        )
    )  # fmt: skip
    return Explanation(text, "pos", "pos", 0.9, None, {"neg": 0.1, "pos": 0.9}, words)


def test_plain(explained):
    assert plain(explained, top=2) == [
        "pos: 90.0%",
        "a {+GOOD+} film,",
        "[-not-] bad",
        "  score  without it  word",
        "  +2.00       54.9%  GOOD",
        "  -1.00       96.1%  not",
    ]


def test_colours(explained):
    def shown(**how) -> str:
        console = Console(file=io.StringIO(), width=80, highlight=False, **how)
        console.print(coloured(explained))
        return console.file.getvalue()

    text = shown()
    assert "\x1b" not in text and "a GOOD film,\nnot bad" in text
    bright = shown(force_terminal=True, color_system="truecolor")
    assert re.sub("\x1b\\[[0-9;]*m", "", bright) == text
    assert re.search("\x1b\\[[0-9;]*4[0-9;]*mnot", bright)  # underlined: against


def test_signs_that_steer_a_terminal(explained):
    nasty = "x\x1b[31m \x07\x9b \u202ey"
    words = (Word(0, len(nasty), nasty, 1.0),)
    made = Explanation(nasty, "\x1b[0m", "\x1b[0m", 0.5, None, {}, words)
    told = "\n".join(plain(made)) + coloured(made).plain
    assert not re.search("[\x1b\x07\x9b\u202e]", told)


def test_markup_of_rich_is_text(explained):
    made = Explanation("[bold]x[/bold]", "pos", "pos", 0.5, None, {}, ())
    console = Console(file=io.StringIO(), width=80)
    console.print(coloured(made))
    assert "[bold]x[/bold]" in console.file.getvalue()


def test_no_word_moved_the_answer():
    made = Explanation("so", "pos", "neg", 0.5, None, {}, (Word(0, 2, "so", 0.0),))
    assert plain(made) == ["pos: 50.0% (the answer is neg)", "so", "no word moved the answer"]


def test_a_value():
    made = Explanation("so", None, None, None, 3.25, {}, (Word(0, 2, "so", 1.0),))
    assert plain(made)[0] == "3.25" and "2.25" in plain(made)[-1]


@pytest.mark.parametrize("probability", [0.0, 1.0, 0.3])
def test_what_is_left(probability):
    assert 0 <= probability_without(probability, 1.5) <= 1
    assert probability_without(0.5, 0.0) == pytest.approx(0.5)
    assert probability_without(0.9, 2.0) == pytest.approx(0.549, abs=1e-3)
