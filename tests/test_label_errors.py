"""Labels flipped on purpose are found; what nobody can judge is left in peace."""

import numpy as np
import pytest

from ulmfit.label_errors import FOLDS, _as_many, folds, label_errors, out_of_sample, thresholds

CLASSES = 3
WORDS = [["sun", "sea", "sand"], ["tax", "bank", "coin"], ["ball", "goal", "team"]]


@pytest.fixture(scope="module")
def rows():
    """Vectors, texts and right labels of 300 rows of three classes, near each other."""
    draw = np.random.default_rng(0)
    labels = draw.integers(CLASSES, size=300)
    vectors = (np.eye(CLASSES)[labels] * 2.5 + draw.normal(size=(300, CLASSES))).astype(np.float32)
    texts = [f"the {draw.choice(WORDS[c])} and a {draw.choice(WORDS[c])}" for c in labels]
    return vectors, texts, labels


@pytest.fixture(scope="module")
def flipped(rows):
    """(which rows, the labels with them flipped)."""
    labels = rows[2].copy()
    chosen = np.random.default_rng(1).permutation(300)[:30]
    labels[chosen] = (labels[chosen] + 1) % CLASSES
    return set(chosen.tolist()), labels


def found(vectors, texts, labels):
    return label_errors(out_of_sample(vectors, texts, labels, CLASSES), labels)


@pytest.mark.parametrize("judges", ["both", "vectors"])
def test_flipped_labels_are_found_and_put_right(rows, flipped, judges):
    vectors, texts, right = rows
    which, labels = flipped
    errors = found(vectors, texts if judges == "both" else None, labels)
    hits = [error for error in errors if error.row in which]
    enough = {"both": (0.9, 0.7), "vectors": (0.6, 0.7)}[judges]  # precision, recall
    assert len(hits) / len(errors) >= enough[0]
    assert len(hits) / len(which) >= enough[1]
    assert np.mean([error.suggested == right[error.row] for error in hits]) > 0.9
    assert all(error.given == labels[error.row] != error.suggested for error in errors)


def test_the_most_doubtful_come_first(rows, flipped):
    errors = found(rows[0], rows[1], flipped[1])
    own = [error.given_probability for error in errors]
    assert own == sorted(own)
    assert all(error.confidence > 0 for error in errors)


def test_a_row_is_not_judged_by_its_own_label(rows, monkeypatch):
    """Whatever the labels of a fold say, what is said of the fold stays the same."""
    vectors, texts, labels = rows
    dealt = np.arange(300) % FOLDS
    monkeypatch.setattr("ulmfit.label_errors.folds", lambda labels, generator: dealt)
    changed = np.where(dealt == 2, (labels + 1) % CLASSES, labels)
    before, after = (out_of_sample(vectors, texts, y, CLASSES) for y in (labels, changed))
    np.testing.assert_allclose(after[dealt == 2], before[dealt == 2], atol=1e-9)
    assert np.abs(after - before)[dealt != 2].max() > 0.01


def test_probabilities_sum_to_one(rows):
    probabilities = out_of_sample(rows[0], rows[1], rows[2], CLASSES)
    np.testing.assert_allclose(probabilities.sum(1), 1)


def test_thresholds_are_the_classes_own_means():
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])
    np.testing.assert_allclose(thresholds(probabilities, np.array([0, 0, 1])), [0.7, 0.7])


def test_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.25, 0.75]])
    (error,) = label_errors(probabilities, np.array([0, 0, 1, 1]))
    assert (error.row, error.given, error.suggested) == (1, 0, 1)
    assert (error.confidence, error.given_probability) == (0.8, 0.2)


def test_as_many_as_pass_the_thresholds_of_the_lowest_self_confidence():
    """Row 5 passes (0.6 reaches its class's mean); row 4 is less sure of its own label."""
    probabilities = np.array(
        [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.1, 0.6, 0.3], [0.1, 0.2, 0.7],
         [0.1, 0.3, 0.6], [0.2, 0.6, 0.2]]
    )  # fmt: skip
    errors = label_errors(probabilities, np.array([0, 1, 1, 2, 0, 0]))
    assert [(error.row, error.suggested) for error in errors] == [(4, 2)]
    more = label_errors(probabilities, np.array([0, 1, 1, 2, 0, 0]), count=9)
    assert [(error.row, error.suggested) for error in more] == [(4, 2), (5, 1)]


def test_right_labels_are_left_alone():
    probabilities = np.eye(4)[[0, 1, 2, 3, 0]] * 0.6 + 0.1
    assert label_errors(probabilities, np.array([0, 1, 2, 3, 0])) == []


def test_a_class_that_no_row_has_is_never_suggested():
    probabilities = np.array([[0.3, 0.1, 0.6], [0.1, 0.4, 0.5]])
    assert label_errors(probabilities, np.array([0, 1])) == []


def test_no_rows():
    assert label_errors(np.empty((0, 2)), np.empty(0, np.int64)) == []


def test_a_class_of_one_row_is_survived(rows):
    vectors, texts, labels = rows
    few = np.minimum(labels, 0)
    few[7] = 1
    probabilities = out_of_sample(vectors, texts, few, 2)
    assert np.isfinite(probabilities).all()
    assert {error.suggested for error in label_errors(probabilities, few)} <= {0}


def test_folds_deal_each_class_evenly():
    labels = np.repeat([0, 1, 2], [50, 17, 5])
    dealt = folds(labels, np.random.default_rng(0))
    for number in range(3):
        counts = np.bincount(dealt[labels == number], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1


def test_a_rare_class_is_known_however_few_rows_are_learned_from(rows, monkeypatch):
    vectors, texts, labels = rows
    labels = labels.copy()
    rare = np.array([3, 100, 170, 250, 299])
    labels[rare] = CLASSES
    monkeypatch.setattr("ulmfit.label_errors.MOST_LEARNED", 40)
    mixed = np.random.default_rng(0).permutation(300)
    learned = _as_many(labels, mixed)
    assert len(set(learned.tolist())) == 40 and set(rare.tolist()) <= set(learned.tolist())
    told = out_of_sample(vectors, texts, labels, CLASSES + 1)
    assert (told[rare, CLASSES] > 0).all()


def test_the_rows_that_are_learned_from_are_as_common_as_all_of_them(monkeypatch):
    monkeypatch.setattr("ulmfit.label_errors.MOST_LEARNED", 2_000)
    labels = np.repeat([0, 1, 2], [9_000, 980, 20])
    learned = _as_many(labels, np.random.default_rng(0).permutation(10_000))
    counts = np.bincount(labels[learned])
    assert counts[2] == 20 and abs(counts[1] - 196) < 60 and counts.sum() == 2_000
    few = np.random.default_rng(0).permutation(1_500)
    assert np.array_equal(_as_many(labels, few), few)
