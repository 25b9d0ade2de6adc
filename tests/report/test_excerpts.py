"""Long texts are cut around the words that matter, and no character is made up."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from ulmfit.explanations import Word
from ulmfit.report.excerpts import LONGEST, MARKED, marked, spans


def words_of(text: str, scores: dict[str, float]) -> list[Word]:
    found = [(m.start(), m.end(), m[0]) for m in re.finditer(r"\S+", text)]
    return [Word(a, b, w, scores.get(w, 0.0)) for a, b, w in found]


def plain(source: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", source))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=200))
def test_a_short_text_is_shown_whole(text: str) -> None:
    words = words_of(text, {w: float(len(w)) for w in text.split()})
    assert plain(marked(text, words).source) == text


def test_words_are_marked_by_their_side_and_strength() -> None:
    text = "not a good <b>film</b> at all"
    source = marked(text, words_of(text, {"not": -2.0, "good": 1.0, "all": 0.01})).source
    found = re.findall(r'<mark class="(\w+)" style="--strength:(\d+)%"[^>]*>([^<]*)<', source)
    assert found == [("against", "100", "not"), ("for", "50", "good")]


def test_a_long_text_is_cut_around_its_strongest_words() -> None:
    filler = "word " * 400
    text = f"{filler}terrible {filler}awful {filler}"
    words = words_of(text, {"terrible": 3.0, "awful": 2.0})
    shown = spans(text, [w for w in words if w.score])
    assert len(shown) == 2
    assert all("terrible" in text[a:b] or "awful" in text[a:b] for a, b in shown)
    assert sum(b - a for a, b in shown) < LONGEST
    told = plain(marked(text, words).source)
    assert told.startswith(" … ") and told.endswith(" … ")
    assert "terrible" in told and "awful" in told and len(told) < LONGEST


def test_a_long_text_without_scores_shows_its_beginning() -> None:
    text = "alpha " + "word " * 1000
    told = plain(marked(text, []).source)
    assert told.startswith("alpha") and len(told) < LONGEST


def test_an_endless_word_is_cut_too() -> None:
    text = "x" * 100_000
    assert len(plain(marked(text, [Word(0, len(text), text, 1.0)]).source)) < 2 * LONGEST


def test_few_words_are_marked() -> None:
    text = " ".join(f"w{i}" for i in range(100))
    source = marked(text, words_of(text, {f"w{i}": 1.0 + i / 100 for i in range(100)})).source
    assert source.count("<mark") == MARKED


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(-3, 3)), max_size=30))
def test_spans_rise_and_do_not_overlap(places: list[tuple[int, float]]) -> None:
    text = "lorem ipsum " * 450
    words = [Word(a, min(a + 5, len(text)), text[a : a + 5], s) for a, s in places]
    shown = spans(text, words)
    flat = [end for span in shown for end in span]
    assert flat == sorted(flat) and flat[0] >= 0 and flat[-1] <= len(text)
