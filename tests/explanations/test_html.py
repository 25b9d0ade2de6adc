"""The user's text comes through whole, and nothing of it is markup."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.explanations.explanation import Explanation, Word
from ulmfit.explanations.html import marked, page

NASTY = "<script>alert(1)</script> & \"x\" 'y' </p> </mark> <!-- ]]> Good"


def explained(text: str, scores: list[float], label: str = "pos") -> Explanation:
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    scores = (scores or [0.5]) * len(spans)
    words = tuple(
        Word(start, end, text[start:end], score)
        for (start, end), score in zip(spans, scores, strict=False)
    )
    return Explanation(text, label, label, 0.9, None, {label: 0.9, "neg": 0.1}, words)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.add(tag)

    def handle_data(self, data) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=80)
    | st.text("ab \n", max_size=20).map(lambda text: text.replace("\n", "\r\n")),
    st.lists(st.floats(-5, 5), max_size=5),
)
def test_the_text_comes_through(text, scores):
    seen = read(marked(explained(text, scores)))
    assert seen.text == text.replace("\r\n", "\n")
    assert seen.tags <= {"p", "mark"}


def test_nothing_of_the_user_is_markup():
    seen = read(page([explained(NASTY, [1.0, -1.0], label="<i>pos</i>")], title="<b>"))
    assert {"script", "i", "b"}.isdisjoint(seen.tags)
    assert NASTY in seen.text and "<i>pos</i>" in seen.text


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x9b", "\u202e", "\u2066", "\ud800"])
def test_signs_that_do_harm_are_replaced(sign):
    made = page([explained(f"a{sign}b", [1.0])])
    assert sign not in made and "a\ufffdb" in html.unescape(made)
    made.encode()


def test_for_and_against_differ_in_more_than_colour():
    strong, weak, against = re.findall(r'style="([^"]*)" title', marked(
        explained("good fine bad", [2.0, 1.0, -2.0])
    ))  # fmt: skip
    assert "underline" in against and "underline" not in strong
    opacity = [float(re.search(r"([\d.]+)\)", style)[1]) for style in (strong, weak, against)]
    assert opacity[0] == opacity[2] > opacity[1] > 0


def test_words_that_moved_nothing_are_not_marked():
    assert "<mark" not in marked(explained("so so", [0.0]))


def test_nothing_is_loaded():
    made = page([explained("good", [1.0])])
    assert not re.search(r"(src|href)=|@import|url\(", made)
    assert "default-src 'none'" in made


def test_a_page_says_what_the_colours_are_of():
    labels = page([explained("Good", [1.0])])
    assert "speak for the label" in labels and "log-odds of the label" in labels
    value = Explanation("Good", None, None, None, 3.5, {}, (Word(0, 4, "Good", 0.25),))
    told = read(page([value])).text
    assert "label" not in told and "raise the value" in told and "the value falls" in told
