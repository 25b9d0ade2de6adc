"""Rows as they are read: all of them counted, some of them kept, twins found."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline.options import Source
from ulmfit.report.duplicates import repeats, shared
from ulmfit.report.parts import Part, key, read_part
from ulmfit.targets.encoding import Coding

CODING = Coding("single", ["bad", "good"])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "reviews.csv"
    lines = [f"text {i},{('bad', 'good', '')[i % 3]}" for i in range(90)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return Source((str(path),))


def test_every_labelled_row_is_counted_and_a_place_is_known(source: Source) -> None:
    part = read_part("test", source, CODING, 1000, 0)
    assert len(part) == 60 and not part.is_drawn
    assert part.labels.tolist() == [0, 1] * 30
    assert part.texts[2] == "text 3" and part.places[2].endswith("reviews.csv:5")


def test_more_rows_than_wanted_are_drawn_evenly_and_by_seed(source: Source) -> None:
    part = read_part("test", source, CODING, 20, 0)
    assert len(part) == 60 and len(part.texts) == 20 and part.is_drawn
    assert part.rows.tolist() == sorted(set(part.rows.tolist()))
    whole = read_part("test", source, CODING, 1000, 0)
    assert [whole.texts[row] for row in part.rows] == part.texts
    assert part.labels.tolist() == [whole.labels[row] for row in part.rows]
    assert read_part("test", source, CODING, 20, 0).texts == part.texts
    drawn = Counter(r for s in range(300) for r in read_part("t", source, CODING, 20, s).rows)
    assert len(drawn) == 60 and max(drawn.values()) < 2 * min(drawn.values())


def test_only_the_rows_that_are_wanted(source: Source) -> None:
    part = read_part("train", source, CODING, 1000, 0, wanted={0, 4, 5, 89})
    assert part.texts == ["text 0", "text 4"]  # 5 and 89 have no label


def test_a_part_of_a_part(source: Source) -> None:
    drawn = read_part("train", source, CODING, 30, 0)
    some = drawn.take("validation", np.array([3, 7, 11, 50]))
    assert len(some) == 4 and some.name == "validation"
    assert some.targets == [drawn.targets[i] for i in (3, 7, 11, 50)]
    held = {int(r): t for r, t in zip(drawn.rows, drawn.texts, strict=True)}
    assert some.texts == [held[r] for r in (3, 7, 11, 50) if r in held]
    assert len(drawn.sample(10, 1).texts) == 10
    assert set(drawn.sample(10, 1).texts) <= set(drawn.texts)


def test_an_unknown_label_is_named_with_its_place(source: Source) -> None:
    with pytest.raises(InputError, match=r"reviews\.csv:3: label 'good'"):
        read_part("test", source, Coding("single", ["bad", "worse"]), 10, 0)


def test_no_label_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("text,label\nfine,\n")
    with pytest.raises(InputError, match="no row has a label"):
        read_part("test", Source((str(path),)), CODING, 10, 0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Who is it?", "who  IS it", True),
        ("Straße", "STRASSE", True),
        ("ﬁne", "fine", True),
        ("good film", "goodfilm", False),
        ("!!!", "???", False),
        ("", "!", False),
        ("日本語。", "日本語", True),
        ("\ud800", "\ud801", False),
    ],
)
def test_texts_that_a_reader_would_call_the_same(one: str, other: str, same: bool) -> None:
    assert (key(one) == key(other)) is same


def part_of_texts(texts: list[str], targets: list[int]) -> Part:
    keys = [key(text) for text in texts]
    return Part("x", CODING, targets, keys, np.arange(len(texts)), texts, texts)


def test_rows_of_both_sets() -> None:
    train = part_of_texts(["A film.", "a plot", "a film", "an end"], [0, 1, 1, 1])
    test = part_of_texts(["a  FILM", "new", "an end!", "an end"], [0, 0, 1, 0])
    found = [(p.row, p.twin, p.same_label) for p in shared(test, train)]
    assert found == [(0, 0, True), (2, 3, True), (3, 3, False)]


def test_rows_said_twice() -> None:
    texts = ["a", "b", "A", "c", "a!", "b."]
    found = repeats(part_of_texts(texts, [0, 1, 0, 1, 1, 1]))
    assert found.rows == 3  # two more of a, one more of b
    assert found.contradicted == [(0, 4)]
