"""What the studies and the probe of language models compute, against cases computed by hand."""

from argparse import Namespace
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from .running import functions_of

explaining = functions_of("explain_study.py")
suggesting = functions_of("suggest_study.py")
cleaning = functions_of("clean_study.py")
probing = functions_of("pooled_features.py")

TEXT, SPANS = "a lovely film", [(0, 1), (2, 8), (9, 13)]


class Reader:
    """Says `pos` with 0.9 where it reads "lovely", else with 0.2."""

    def probabilities(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        for text in texts:
            positive = 0.9 if "lovely" in text else 0.2
            yield np.array([1 - positive, positive])


@pytest.mark.parametrize(
    ("words", "left"),
    [([1], "a  film"), ([2, 0], " lovely "), ([0, 1, 2], "  "), ([], TEXT)],
)
def test_words_are_cut_out(words: list[int], left: str) -> None:
    assert explaining.without(TEXT, SPANS, np.array(words, int)) == left


def test_a_text_without_its_only_word_is_a_space() -> None:
    assert explaining.without("film", [(0, 4)], np.array([0])) == " "


def test_how_far_answers_fall() -> None:
    right, wrong = np.array([0.0, 5.0, 1.0]), np.array([0.0, -5.0, 1.0])
    dull = ("a dull plot", [(0, 1), (2, 6), (7, 11)], 0, 0.8, right)
    chosen = [(TEXT, SPANS, 1, 0.9, right), (TEXT, SPANS, 1, 0.9, wrong), dull]
    for cut, falls in {1: [0.7, 0, 0], 2: [0.7, 0, 0], 3: [0.7, 0.7, 0]}.items():
        assert explaining.falls(Reader(), chosen, cut) == pytest.approx(falls)


def test_a_fall_is_told_with_its_standard_error() -> None:
    told = explaining.told("occlusion", np.array([0.1, 0.3]), seconds=1)
    assert told == {
        **{"method": "occlusion", "mean_fall": 0.2, "standard_error": 0.1, "texts": 2},
        "milliseconds_a_text": 500.0,
    }


def test_labels_saved_are_read_off_the_random_curve() -> None:
    counts, at_random = np.array([10, 20, 30, 40]), np.array([0.5, 0.7, 0.6, 0.8])  # a dip
    told = suggesting.saved(counts, at_random, np.array([0.4, 0.6, 0.75, 0.85]))
    assert told == [
        *("10 do as 10 at random", "20 do as 15 at random", "30 do as 35 at random"),
        "40 do more than 40 at random",
    ]


def learned() -> object:
    """Of texts 0 to 4; 1 and 4, between which the model wavers, are the same."""
    sure = np.array([1.0, 0.5, 0.99, 0.9, 0.55])
    vectors = np.array([[9, 9], [1, 0], [8, 0], [0, 1], [1, 0]], np.float32)
    return suggesting.Learned(0.5, np.stack([sure, 1 - sure], axis=1), vectors)


def test_margin_takes_what_is_least_sure_and_suggest_what_is_unlike() -> None:
    left = np.array([1, 3, 4])
    assert suggesting.pick("margin", learned(), left, 2, seed=0).tolist() == [1, 4]
    assert suggesting.pick("suggest", learned(), left, 2, seed=0).tolist() == [1, 3]


def test_at_random_every_text_that_is_left_is_taken_as_often() -> None:
    left = np.array([1, 3, 4])
    picked = [suggesting.pick("random", learned(), left, 2, seed).tolist() for seed in range(300)]
    assert all(len(set(rows)) == 2 for rows in picked)
    times = np.bincount(np.concatenate(picked), minlength=5)
    assert times[[0, 2]].sum() == 0 and times[left].min() > 160  # of 200 expected


def pool(labels: list[int]) -> object:
    vectors = np.array([[2 * label - 1, 0.0] for label in labels], np.float32)
    return suggesting.Part([""] * len(labels), np.array(labels), vectors)


@pytest.mark.parametrize("seed", range(5))
def test_the_beginning_has_every_label_twice(seed: int) -> None:
    texts = pool([0] * 20 + [1] * 2)
    for count in (4, 10):
        rows = suggesting.beginning(texts, count, seed)
        assert len(set(rows.tolist())) == len(rows) == count and {20, 21} <= set(rows.tolist())
        assert rows.tolist() == suggesting.beginning(texts, count, seed).tolist()


@pytest.mark.parametrize("way", suggesting.WAYS)
def test_a_curve_labels_more_texts_each_round_and_none_twice(way: str) -> None:
    texts = pool([0, 1] * 8)
    vectors = np.eye(16, dtype=np.float32)  # no two texts are alike
    rounds: list[set[int]] = []

    def learn(rows: NDArray[np.int64], seed: int) -> object:
        rounds.append(set(rows.tolist()))
        sure = np.linspace(0.5, 1, 16)
        return suggesting.Learned(len(rows) / 100, np.stack([sure, 1 - sure], 1), vectors)

    asked = Namespace(start=4, step=3, until=12)
    assert suggesting.curve(way, learn, texts, asked, seed=0) == [0.04, 0.07, 0.1]
    assert rounds[0] < rounds[1] < rounds[2] and [len(rows) for rows in rounds] == [4, 7, 10]


def test_the_regression_learns_the_rows_that_are_labelled_alone() -> None:
    known, test = pool([0, 1] * 4), pool([0, 1, 1, 1])
    test.labels = np.array([0, 1, 1, 0])  # one is not as its vector says
    found = suggesting.by_regression(known, test)(np.array([0, 1]), 0)
    assert found.accuracy == 0.75
    assert found.probabilities.argmax(1).tolist() == [0, 1] * 4
    known.labels[:2] = 1, 0
    assert suggesting.by_regression(known, test)(np.array([0, 1]), 0).accuracy == 0.25


def test_a_share_of_the_labels_is_flipped_to_any_other() -> None:
    labels = np.zeros(3000, np.int64)
    wrong = cleaning.flipped(labels, 3, 0.1, seed=0)
    assert np.bincount(wrong)[0] == 2700 and min(np.bincount(wrong)) > 120  # 150 of each expected
    assert not labels.any()
    assert (wrong == cleaning.flipped(labels, 3, 0.1, seed=0)).all()
    assert (wrong != cleaning.flipped(labels, 3, 0.1, seed=1)).any()
    assert cleaning.flipped(np.array([0, 1, 1]), 2, 1.0, seed=0).tolist() == [1, 0, 0]


def judged(
    monkeypatch: pytest.MonkeyPatch,
    probabilities: list[list[float]],
    right: list[int],
    given: list[int],
) -> dict[str, float]:
    """The study's figures where a judge says these probabilities."""
    told = np.array(probabilities)
    monkeypatch.setattr(cleaning, "out_of_sample", lambda *args, **kwargs: told)
    found: dict[str, float] = cleaning.figures(
        np.zeros((len(right), 1)), None, np.array(right), np.array(given), told.shape[1], 0
    )
    return found


def test_figures_of_a_hit_two_misses_and_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = [0.9, 0.1], [0.1, 0.9]
    # Rows 0, 4 and 5 are flipped: 0 is listed, 4 and 5 are not, 6 is listed for nothing.
    unsure, doubtful = [0.6, 0.4], [0.85, 0.15]
    probabilities = [bad, bad, bad, bad, unsure, unsure, doubtful, good, good]
    right, given = [0, 0, 0, 0, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 1, 1, 1]
    assert judged(monkeypatch, probabilities, right, given) == {
        **{"listed": 2, "precision": 0.5, "recall": 1 / 3, "right_suggestion": 1.0},
        **{"precision_at_half_n": 1.0, "precision_at_n": 1 / 3, "accuracy": 2 / 3},
    }


def test_figures_of_a_wrong_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    # Rows 0 and 4 are flipped and listed; 4 was of class 2 and is said to be of class 1.
    probabilities = [
        *([0.9, 0.05, 0.05], [0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.9, 0.05]),
        *([0.05, 0.9, 0.05], [0.05, 0.05, 0.9]),
    ]
    found = judged(monkeypatch, probabilities, [0, 0, 1, 1, 2, 2], [1, 0, 1, 1, 0, 2])
    assert (found["precision"], found["recall"], found["right_suggestion"]) == (1.0, 1.0, 0.5)
    assert found["accuracy"] == pytest.approx(5 / 6)


def test_seeds_are_told_as_mean_and_deviation() -> None:
    assert cleaning.told([{"recall": 1.0}, {"recall": 3.0}]) == {"recall": "2.000 +- 1.414"}
    assert cleaning.told([{"recall": 0.5}]) == {"recall": "0.500 +- 0.000"}


def test_a_probe_draws_as_many_of_each_label_from_the_pool_alone() -> None:
    labels = np.array([0, 1] * 20)
    rows = probing.drawn(labels, 30, 8, seed=0)
    assert sorted(labels[rows]) == [0] * 4 + [1] * 4
    assert rows.max() < 30 and len(set(rows)) == 8
    with pytest.raises(SystemExit, match="32 labels are more than the 30 rows"):
        probing.drawn(labels, 30, 32, seed=0)


def test_a_probe_finds_what_vectors_hold_and_nothing_where_they_hold_nothing() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 600)
    noise = generator.normal(size=(600, 4)).astype(np.float32)
    telling = noise + 4 * labels[:, None].astype(np.float32)
    assert min(probing.accuracies(telling, labels, 300, 40, draws=3)) > 0.95
    assert max(probing.accuracies(noise, labels, 300, 40, draws=3)) < 0.65
