"""The embedded messages: balanced, unique, readable, and neither trivial nor hopeless."""

import re
from collections import Counter

import numpy as np

from ulmfit.baseline import fit_baseline
from ulmfit.demo import load_messages

CLASSES = {"account", "defect", "delivery", "praise", "question", "refund"}


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def test_both_parts_are_balanced() -> None:
    train, test = load_messages()
    assert Counter(train.labels) == dict.fromkeys(CLASSES, 105)
    assert Counter(test.labels) == dict.fromkeys(CLASSES, 35)


def test_no_text_is_nearly_another() -> None:
    train, test = load_messages()
    bags = [words(text) for text in train.texts + test.texts]
    overlap = max(
        len(a & b) / len(a | b) for i, a in enumerate(bags) for b in bags[:i] if len(a) and len(b)
    )
    assert overlap < 0.5


def test_texts_are_short_messages() -> None:
    train, test = load_messages()
    lengths = [len(text.split()) for text in train.texts + test.texts]
    assert min(lengths) >= 5 and max(lengths) <= 45


def test_the_baseline_finds_it_neither_trivial_nor_hopeless() -> None:
    train, test = load_messages()
    names = sorted(CLASSES)
    told, asked = (np.array([names.index(name) for name in part.labels]) for part in (train, test))
    answers = fit_baseline(train.texts, told, len(names)).answers(test.texts).argmax(1)
    assert 0.7 < (answers == asked).mean() < 0.9
