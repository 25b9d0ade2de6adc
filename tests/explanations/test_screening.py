"""Long texts: what is pooled is looked at, what the gradients put first is tried."""

from dataclasses import replace

import numpy as np
import pytest

from ulmfit.bundle import HeadConfig
from ulmfit.explanations import explain, screening
from ulmfit.explanations.quantity import quantity_of
from ulmfit.explanations.screening import pooled_part, slopes, telling_words
from ulmfit.explanations.words import read
from ulmfit.predict import Predictor


@pytest.fixture(scope="module")
def short(taught):
    """The same classifier, which pools 10 tokens."""
    return replace(taught, head=HeadConfig(chunk=7, hidden=8, pooled_tokens=10))


@pytest.fixture(scope="module")
def text(texts) -> str:
    return " ".join([*texts[:4], "Lovely GOOD", *texts[4:8]])


def one_way(bundle, direction):
    return replace(bundle, weights={direction: bundle.weights[direction]})


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_part_is_what_is_pooled(short, text, direction):
    predictor = Predictor(one_way(short, direction))
    words = text.split()
    part = pooled_part(text, read(text, predictor.encoder.tokenizer), predictor)
    kept = words[-10:] if direction == "forward" else words[:9]  # xxbos is pooled at the start
    assert part.text.split() == kept
    start = part.text.index(kept[-1])
    assert text[part.place(start) :].startswith(kept[-1])


def test_both_ends_are_looked_at_for_both_directions(short, text):
    predictor = Predictor(short)
    part = pooled_part(text, read(text, predictor.encoder.tokenizer), predictor)
    assert part.text.split() == text.split()[:9] + text.split()[-10:]
    for character, sign in enumerate(part.text):
        if sign != "\n":
            assert text[part.place(character)] == sign


def test_a_short_text_is_looked_at_whole(taught, texts):
    predictor = Predictor(taught)
    part = pooled_part(texts[0], read(texts[0], predictor.encoder.tokenizer), predictor)
    assert part.text == texts[0] and part.place(3) == 3


def test_words_that_are_not_pooled_have_no_score(short, text):
    found = explain(one_way(short, "forward"), text)
    words = text.split()
    assert [word.text for word in found.words] == words
    scores = [word.score for word in found.words]
    assert not any(scores[:-10]) and sum(score != 0 for score in scores[-10:]) > 5


def test_a_long_text_has_its_most_telling_words_tried(taught, text, monkeypatch):
    monkeypatch.setattr(screening, "POSITIONS", 0)
    monkeypatch.setattr(screening, "FEWEST", 5)
    predictor = Predictor(taught)
    reading = read(text, predictor.encoder.tokenizer)
    quantity = quantity_of(predictor.target, 1)
    strength = np.abs(slopes(predictor, text, reading, quantity))
    tried = telling_words(predictor, text, reading, quantity)
    assert set(tried) == set(np.argsort(-strength)[:5])
    moved = [word for word in explain(predictor, text, label="good").words if word.score]
    assert {text[a:b] for a, b in (reading.spans[i] for i in tried)} == {w.text for w in moved}


def test_slopes_are_the_mean_of_the_directions(taught, texts):
    def of(bundle):
        predictor = Predictor(bundle)
        reading = read(texts[5], predictor.encoder.tokenizer)
        return slopes(predictor, texts[5], reading, quantity_of(predictor.target, 1))

    single = [of(one_way(taught, direction)) for direction in ("forward", "backward")]
    np.testing.assert_allclose(of(taught), np.mean(single, axis=0), atol=1e-6)


def test_the_work_on_any_text_is_bounded(taught, texts, monkeypatch):
    """Tokens read for a text: no more than the budget and what is always tried."""
    read_tokens = 0
    logits = Predictor.logits

    def counting(self, given):
        nonlocal read_tokens
        given = list(given)
        read_tokens += sum(len(self.encoder.encode(text)) for text in given)
        return logits(self, given)

    monkeypatch.setattr(Predictor, "logits", counting)
    monkeypatch.setattr(screening, "POSITIONS", 3_000)
    monkeypatch.setattr(screening, "FEWEST", 4)
    short = replace(taught, head=HeadConfig(chunk=7, hidden=8, pooled_tokens=100))
    explain(short, " ".join(texts * 3))
    assert 0 < read_tokens <= 3_000 + 5 * 201
