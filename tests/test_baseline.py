"""TF-IDF and a linear model: the same as scikit-learn's own search, and fair on any labels."""

import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ulmfit import baseline as baselines
from ulmfit.baseline import STRENGTHS, fit_baseline
from ulmfit.errors import InputError

WORDS = ("good", "great", "fine"), ("bad", "dull", "poor"), ("odd", "rare", "strange")


def reviews(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    draw = random.Random(seed)
    labels = [draw.randrange(3) for _ in range(count)]
    said = [[*draw.choices(WORDS[k], k=2), *draw.choices(sum(WORDS, ()), k=3)] for k in labels]
    return [" ".join(words) for words in said], np.array(labels)


def test_it_is_scikit_learns_own_pipeline_at_the_chosen_strength() -> None:
    texts, labels = reviews(120)
    asked, _ = reviews(40, seed=1)
    mine = fit_baseline(texts, labels, 3)
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=mine.strength, max_iter=2000),
    ).fit(texts, labels)
    assert mine.strength in STRENGTHS
    np.testing.assert_allclose(mine.answers(asked), pipeline.predict_proba(asked), atol=1e-3)


def test_out_of_fold_answers_have_not_seen_their_label() -> None:
    """A word that tells one text's label, and stands in no other text, is of no use there."""
    labels = np.arange(60) % 2
    texts = [f"word{i}a word{i}b" for i in range(60)]
    found = fit_baseline(texts, labels, 2)
    assert found.folded.tolist() == list(range(60))
    assert found.out_of_fold == pytest.approx(0.5)
    assert (found.answers(texts)[np.arange(60), labels] > 0.51).all()


def test_a_flipped_label_is_doubted_out_of_fold() -> None:
    texts, labels = reviews(200)
    wrong = labels.copy()
    wrong[:10] = (labels[:10] + 1) % 3
    found = fit_baseline(texts, wrong, 3)
    doubt = found.out_of_fold[np.arange(200), wrong]
    assert np.median(doubt[:10]) < np.median(doubt[10:])


def test_sets_of_labels() -> None:
    texts, labels = reviews(150)
    sets = np.zeros((150, 4), np.bool_)
    sets[np.arange(150), labels] = True
    sets[:, 3] = True  # a class that every text has
    found = fit_baseline(texts, sets, 4, "multi")
    answers = found.answers(texts)
    assert (answers[:, 3] == 1).all()
    assert ((answers[:, :3] >= 0.5) == sets[:, :3]).mean() > 0.85


def test_real_values() -> None:
    texts, labels = reviews(150)
    found = fit_baseline(texts, labels * 10.0, 0, "real")
    assert found.answers(texts).shape == (150,)
    assert np.corrcoef(found.answers(texts), labels)[0, 1] > 0.8


def test_a_class_with_one_text_is_no_obstacle() -> None:
    texts, labels = reviews(30)
    labels = labels.copy()
    labels[labels == 2] = 0
    labels[0] = 2
    found = fit_baseline(texts, labels, 5)
    assert found.answers(texts).shape == (30, 5)
    assert (found.answers(texts)[:, 3:] == 0).all()


def test_two_texts_are_enough() -> None:
    found = fit_baseline(["good film", "bad film"], np.array([0, 1]), 2)
    assert found.answers(["good", "bad"]).argmax(1).tolist() == [0, 1]
    assert len(found.folded) == 0


def test_many_texts_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_TEXTS", 60)
    monkeypatch.setattr(baselines, "FOLDED_TEXTS", 40)
    texts, labels = reviews(100)
    found = fit_baseline(texts, labels, 3)
    assert found.learned == 60 and len(found.folded) == len(found.out_of_fold) == 40
    assert len(set(found.folded.tolist())) == 40 and found.folded.max() < 100
    again = fit_baseline(texts, labels, 3)
    assert (again.out_of_fold == found.out_of_fold).all()


def test_of_many_labels_a_text_fewer_texts_choose_the_strength(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "FOLDED_SETS", 120)
    texts, labels = reviews(100)
    sets = np.eye(3, dtype=np.bool_)[labels]
    found = fit_baseline(texts, sets, 3, "multi")
    assert len(found.folded) == 40 and found.learned == 100
    assert len(fit_baseline(texts, labels, 3).folded) == 100


def test_any_string_is_a_text() -> None:
    texts = ["\ud800 good", "\0 bad", "good \u202e", "bad <script>", "", "good"]
    fit_baseline(texts, np.array([0, 1, 0, 1, 1, 0]), 2).answers(["\udfff", ""])


@pytest.mark.parametrize(
    ("texts", "labels", "match"),
    [(["a b", "c d"], [1, 1], "two different labels"), (["?", "!"], [0, 1], "no word")],
)
def test_what_cannot_be_learned_is_refused(texts: list[str], labels: list[int], match: str) -> None:
    with pytest.raises(InputError, match=match):
        fit_baseline(texts, np.array(labels), 2)
