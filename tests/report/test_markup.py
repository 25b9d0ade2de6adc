"""Whatever stands in a text, it comes out as that text and nothing else."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.report.markup import REPLACEMENT, Markup, element, join, shortened, spelled, text, user

ANY = st.text(st.characters(), max_size=60)  # surrogates and controls among them
HOSTILE = ["<script>alert(1)</script>", "\"'>&lt;&#0;", "</title>", "a\0b", "\ud800", "]]>", "\r"]


class Read(HTMLParser):
    """What a browser makes of it: text, and the names of elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: Markup) -> Read:
    parser = Read()
    parser.feed(markup.source)
    parser.close()
    return parser


def harmless(value: str) -> str:
    """With what HTML may not hold replaced, said another way than the code does."""
    kept = [
        REPLACEMENT
        if 0xD800 <= ord(c) <= 0xDFFF
        or 0xFDD0 <= ord(c) <= 0xFDEF
        or ord(c) in (0xFFFE, 0xFFFF)
        or 0x7F <= ord(c) < 0xA0
        or (ord(c) < 32 and c not in "\t\n\r")
        else c
        for c in value
    ]
    return "".join(kept)


@given(ANY)
def test_text_is_read_back_as_it_was(value: str) -> None:
    found = read(element("p", value))
    assert found.text == harmless(value)
    assert found.tags == ["p"]
    element("p", value).source.encode()


@given(ANY)
def test_an_attribute_is_read_back_as_it_was(value: str) -> None:
    found = read(element("p", title=value))
    assert found.attributes == {"title": harmless(value)}
    assert found.tags == ["p"]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_makes_no_element(value: str) -> None:
    for made in (user(value), text(value), element("b", value, title=value), join(value)):
        assert set(read(made).tags) <= {"bdi", "b"}


def test_markup_is_not_escaped_twice() -> None:
    assert element("p", element("b", "a<b")).source == "<p><b>a&lt;b</b></p>"


def test_attributes_are_named_as_in_html() -> None:
    made = element("line", x1=1.0, stroke_width=2, class_="x", hidden=True, id=None, viewBox="0")
    assert made.source == '<line x1="1" stroke-width="2" class="x" hidden viewBox="0"/>'


@given(ANY, st.integers(1, 30))
def test_a_shortened_text_is_one_short_line(value: str, longest: int) -> None:
    short = shortened(value, longest)
    assert len(short) <= longest
    assert "\n" not in short and "\t" not in short
    if short != " ".join(value.split()):
        assert short.endswith("…")


def test_what_cannot_be_seen_in_a_name_is_spelled_out() -> None:
    assert spelled("a\u202egnp.exe\0\n") == "a\\u202egnp.exe\\u0000\\u000a"
    assert spelled("Grüße עברית 日本") == "Grüße עברית 日本"


def test_a_direction_does_not_leave_its_name() -> None:
    assert user("\u202eabc").source == "<bdi>\u202eabc</bdi>"
