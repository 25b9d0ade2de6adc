"""Of a stream of any length the most uncertain texts are kept, each once."""

import random

from ulmfit.data.rows import Row
from ulmfit.predict import Answer
from ulmfit.suggestions.candidates import Candidate, Candidates, text_key

ANSWER = Answer("pos", None, 0.5)


def candidate(text: str, uncertainty: float) -> Candidate:
    return Candidate(Row(text, None, {"text": text}, "f", 1), ANSWER, uncertainty)


def kept(most: int, given: list[Candidate]) -> list[str]:
    best = Candidates(most)
    for each in given:
        best.add(each)
    return [each.row.text for each in best.ranked()]


def test_the_same_as_sorting_all_of_them():
    draw = random.Random(0)
    given = [
        candidate(f"text {i}", draw.choice((0.1, 0.5, 0.9)) * draw.random()) for i in range(999)
    ]
    wanted = sorted(given, key=lambda c: -c.uncertainty)[:20]
    assert kept(20, given) == [c.row.text for c in wanted]


def test_of_equal_ones_the_earlier():
    assert kept(2, [candidate(text, 0.5) for text in "abcd"]) == ["a", "b"]


def test_a_text_counts_once():
    same = ["Good  film", "good film", "good\nfilm ", "GOOD FILM"]
    assert kept(3, [candidate(text, 0.5) for text in [*same, "other"]]) == ["Good  film", "other"]


def test_a_text_that_was_dropped_does_not_come_back():
    given = [candidate("a", 0.1), candidate("b", 0.9), candidate("c", 0.8), candidate("a", 0.1)]
    assert kept(2, given) == ["b", "c"]


def test_memory_does_not_grow_with_the_stream():
    best = Candidates(10)
    for i in range(5000):
        best.add(candidate(str(i), i % 97 / 97))
    assert len(best._held) == len(best._heap) == 10


def test_any_text_has_a_key():
    assert len(text_key("\ud800 ok")) == 16 and text_key("Straße") == text_key("STRASSE")
