"""An explanation names the user's words, and they are what moved the answer."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from ulmfit.errors import InputError
from ulmfit.explanations import Word, explain, explain_many
from ulmfit.predict import Predictor
from ulmfit.targets.kinds import Kind


def test_it_tells_the_answer(taught, texts):
    found = explain(taught, texts[0])
    probabilities = next(Predictor(taught).probabilities(texts[:1]))
    assert found.predicted == found.label == taught.labels[int(probabilities.argmax())]
    assert found.probability == pytest.approx(probabilities.max())
    assert list(found.probabilities) == taught.labels
    assert found.value is None


def test_the_words_are_those_of_the_text(taught):
    text = "A  GOOD film, <br /> and\nGreat!!!"
    found = explain(taught, text)
    assert [text[word.start : word.end] for word in found.words] == [w.text for w in found.words]
    assert {"A", "GOOD", "film", "Great", "!!!"} <= {word.text for word in found.words}


def test_without_its_strongest_words_the_answer_falls_more_than_without_others(taught, texts):
    """Log-odds of the answer without the three strongest words, less those without any three."""
    predictor = Predictor(taught)
    draw = np.random.default_rng(0)
    further = []
    for each in explain_many(predictor, texts):
        strongest = sorted(each.words, key=lambda word: -word.score)[:3]
        others = [each.words[i] for i in draw.permutation(len(each.words))[:3]]
        cut = [without(each.text, words) for words in (strongest, others)]
        label = predictor.labels.index(each.label)
        left = np.array([row[label] for row in predictor.probabilities(cut)])
        further.append(np.subtract(*np.log(left / (1 - left))))
    assert np.mean(further) < -3 * np.std(further) / len(further) ** 0.5


def without(text: str, words: list[Word]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text


def test_another_label_turns_the_signs_of_two_around(taught, texts):
    good, bad = (explain(taught, texts[1], label=label) for label in ("good", "bad"))
    assert good.probability + bad.probability == pytest.approx(1)
    np.testing.assert_allclose(
        [word.score for word in good.words], [-word.score for word in bad.words], atol=1e-5
    )


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_score_is_what_the_answer_loses_without_the_word(teach, kind, texts):
    """Both directions together, as they predict, at a temperature; of every label, or the value."""
    bundle, text = teach(kind), texts[3]
    if kind != "real":
        bundle = replace(bundle, target=bundle.target.model_copy(update={"temperature": 1.5}))
    predictor = Predictor(bundle)
    for number, label in enumerate(bundle.labels or [None]):
        strongest = explain(predictor, text, label=label).top(5)
        assert abs(strongest[0].score) > 0.1
        for word in strongest:
            pair = [text, text[: word.start] + text[word.end :]]
            if kind == "real":
                whole, cut = predictor.values(pair)
            else:
                p = np.array([row[number] for row in predictor.probabilities(pair)])
                whole, cut = np.log(p / (1 - p))
            assert word.score == pytest.approx(whole - cut, abs=1e-4)


def test_of_ranks_the_median_is_explained(teach, texts):
    """Of 40%, 30% and 30% the middle rank, though the lowest is the most probable."""
    ranks = teach("ordinal")
    fixed = {
        "head.linear2.weight": torch.zeros_like,
        "head.linear2.bias": lambda bias: torch.tensor([0.6, 0.5]).logit().to(bias),
    }
    weights = {
        direction: {name: fixed.get(name, torch.clone)(tensor) for name, tensor in each.items()}
        for direction, each in ranks.weights.items()
    }
    found = explain(replace(ranks, weights=weights), texts[0])
    assert list(found.probabilities.values()) == pytest.approx([0.4, 0.3, 0.3])
    assert (found.label, found.predicted) == ("so-so", "so-so")
    assert found.probability == pytest.approx(0.3) and not found.top()


def test_of_several_labels_the_most_probable_is_explained(teach, texts):
    found = explain(teach("multi"), texts[0])
    assert found.label == found.predicted == max(found.probabilities, key=found.probabilities.get)
    assert sum(found.probabilities.values()) > 1.5  # "film" and one of the others


def test_a_value_has_no_label(teach, texts):
    found = explain(teach("real"), texts[0])
    assert found.value == next(Predictor(teach("real")).values(texts[:1]))
    assert found.label is found.predicted is found.probability is None and not found.probabilities
    with pytest.raises(InputError, match=r"'good': this model answers with a value"):
        explain(teach("real"), texts[0], label="good")


def test_top_is_sorted_and_leaves_out_what_moved_nothing(taught, texts):
    found = explain(taught, texts[0] + " <b></b>")
    strengths = [abs(word.score) for word in found.top(100)]
    assert strengths == sorted(strengths, reverse=True) and 0 not in strengths
    assert len(found.top(2)) == 2


def test_it_becomes_json(taught):
    told = explain(taught, "good").to_dict()
    assert told["words"][0]["text"] == "good" and isinstance(told["words"][0]["score"], float)


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_text(taught, text):
    with pytest.raises(InputError, match="no text"):
        explain(taught, text)


def test_an_unknown_label(taught):
    with pytest.raises(InputError, match=r"'ugly'.*'bad', 'good'"):
        explain(taught, "good", label="ugly")


def test_a_language_model_is_refused(taught):
    with pytest.raises(InputError, match="language-model"):
        explain(replace(taught, kind="language-model"), "good")


def test_a_text_of_signs_only(taught):
    assert all(np.isfinite(word.score) for word in explain(taught, "?! 👍🏽 <br>").words)
