"""An explanation names the user's words, and they are what moved the answer."""

from dataclasses import replace

import numpy as np
import pytest

from ulmfit.errors import InputError
from ulmfit.explanations import Word, explain, explain_many
from ulmfit.predict import Predictor


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


def test_a_score_is_what_the_answer_loses_without_the_word(taught, texts):
    """Both directions together, as they predict."""
    predictor = Predictor(taught)
    text = texts[3]
    explained = explain(predictor, text, label="good")
    for word in explained.words[:5]:
        cut = text[: word.start] + text[word.end :]
        p, without = (row[1] for row in predictor.probabilities([text, cut]))
        fall = np.log(p / (1 - p)) - np.log(without / (1 - without))
        assert word.score == pytest.approx(fall, abs=1e-4)


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
