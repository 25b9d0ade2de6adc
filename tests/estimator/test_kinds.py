"""Several labels a text, ranks, and real values: learned, answered in their own form, kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import MultiLabelBinarizer

from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.predict import Predictor

Make = Callable[..., ULMFiTClassifier]
MakeRegressor = Callable[..., ULMFiTRegressor]
TAGS = ("film", "plot", "actor")


@pytest.fixture(scope="module")
def tags(texts: list[str]) -> list[list[str]]:
    """Which of three words each text holds."""
    return [[tag for tag in TAGS if tag in text.split()] for text in texts]


@pytest.fixture(scope="module")
def matrix(tags: list[list[str]]) -> NDArray[np.int64]:
    return np.array([[tag in held for tag in TAGS] for held in tags], np.int64)


@pytest.fixture(scope="module")
def many(quick: Make, texts: list[str], matrix: NDArray[np.int64]) -> ULMFiTClassifier:
    return quick(epochs=24).fit(texts, matrix)


def test_a_matrix_is_answered_with_a_matrix(
    many: ULMFiTClassifier, texts: list[str], matrix: NDArray[np.int64]
) -> None:
    answers, probabilities = many.predict(texts), many.predict_proba(texts)
    assert answers.shape == probabilities.shape == matrix.shape
    assert set(np.unique(answers)) <= {0, 1} and answers.dtype == np.int64
    assert (answers == matrix).mean() > max(matrix.mean(), 1 - matrix.mean()) + 0.05
    assert not np.allclose(probabilities.sum(1), 1)
    assert many.classes_.tolist() == [0, 1, 2] and many.bundle_.target.kind == "multi"
    assert many.score(texts, matrix) == (answers == matrix).all(1).mean()
    for name in ("f1_micro", "roc_auc", "average_precision"):
        assert np.isfinite(get_scorer(name)(many, texts, matrix))


def test_lists_are_answered_with_lists(
    quick: Make, many: ULMFiTClassifier, texts: list[str], tags: list[list[str]]
) -> None:
    model = quick().fit(texts, tags)
    answers = model.predict(texts)
    assert model.classes_.tolist() == sorted(TAGS)
    assert {tag for held in answers for tag in held} <= set(TAGS)
    assert model.score(texts, answers) == 1 and model.score(texts, [["other"]] * 40) == 0
    right = np.array([sorted(a) == sorted(b) for a, b in zip(answers, tags, strict=True)])
    assert model.score(texts, tags) == right.mean()
    weights = np.arange(40.0)
    assert model.score(texts, tags, weights) == pytest.approx(np.average(right, weights=weights))


def test_columns_of_a_data_frame_are_the_classes(
    quick: Make, many: ULMFiTClassifier, texts: list[str], matrix: NDArray[np.int64]
) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(matrix, columns=list(TAGS))
    model = quick(epochs=24).fit(pandas.Series(texts), table)
    assert model.classes_.tolist() == model.bundle_.labels == list(TAGS)
    np.testing.assert_array_equal(model.predict(texts), many.predict(texts))


def test_answers_are_those_of_the_predictor(
    quick: Make, texts: list[str], tags: list[list[str]]
) -> None:
    model = quick().fit(texts, tags)
    expected = [answer.label for answer in Predictor(model.bundle_, "cpu").answers(texts)]
    assert [tuple(held) for held in model.predict(texts)] == expected


def test_several_labels_in_cross_validation_and_search_are_a_matrix(
    quick: Make, texts: list[str], tags: list[list[str]]
) -> None:
    """As docs/how-to/scikit-learn.md says; of lists scikit-learn itself makes no folds."""
    with pytest.raises(ValueError, match="legacy multi-label"):
        cross_val_score(quick(), texts, tags, cv=2, error_score="raise")
    matrix = MultiLabelBinarizer().fit_transform(tags)
    for scoring in (None, "f1_micro"):
        scores = cross_val_score(quick(), texts, matrix, cv=2, scoring=scoring, error_score="raise")
        assert scores.shape == (2,) and np.isfinite(scores).all()
    search = GridSearchCV(quick(), {"epochs": [1]}, cv=2, error_score="raise").fit(texts, matrix)
    assert search.predict(texts).shape == matrix.shape


@pytest.mark.parametrize("form", ["lists", "matrix"])
def test_several_labels_are_kept(
    form: str,
    quick: Make,
    texts: list[str],
    tags: list[list[str]],
    matrix: NDArray[np.int64],
    tmp_path: Path,
) -> None:
    model = quick().fit(texts, tags if form == "lists" else matrix)
    model.save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="fp32")
    assert again.classes_.tolist() == model.classes_.tolist()
    np.testing.assert_array_equal(again.predict_proba(texts), model.predict_proba(texts))
    assert np.asarray(again.predict(texts), object).tolist() == [
        list(row) for row in np.asarray(model.predict(texts), object)
    ]


def test_ranks(quick: Make, texts: list[str], labels: Any, tmp_path: Path) -> None:
    levels = ["low", "middle", "high"]
    y = [levels[2 * label if i % 3 else 1] for i, label in enumerate(labels)]
    model = quick(task="ordinal", order=levels).fit(texts, y)
    assert model.classes_.tolist() == levels and model.bundle_.target.kind == "ordinal"
    probabilities = model.predict_proba(texts)
    assert probabilities.shape == (40, 3) and probabilities.sum(1) == pytest.approx(1)
    median = (np.cumsum(probabilities, 1) < 0.5).sum(1)
    assert model.predict(texts).tolist() == [levels[rank] for rank in median]
    model.save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="fp32")
    assert again.predict(texts).tolist() == model.predict(texts).tolist()
    assert again.get_params()["order"] == levels and clone(again).task == "ordinal"


def test_numbers_of_ranks_sort_themselves(
    quick: Make, texts: list[str], labels: Any, tmp_path: Path
) -> None:
    y = np.array([9, 10])[labels]
    model = quick(task="ordinal").fit(texts, y)
    assert model.classes_.tolist() == [9, 10] and model.predict(texts).dtype == y.dtype
    turned = quick(task="ordinal", order=[np.int64(10), np.int64(9)]).fit(texts, y)
    turned.save(tmp_path / "model")
    assert ULMFiTClassifier.load(tmp_path / "model").classes_.tolist() == [10, 9]


@pytest.mark.parametrize("library", ["range", "numpy", "pandas"])
def test_ranks_in_any_order_are_kept(
    library: str, quick: Make, texts: list[str], labels: Any, tmp_path: Path
) -> None:
    order: Any = range(9, 11)
    if library == "numpy":
        order = np.array(order)
    elif library == "pandas":
        order = pytest.importorskip("pandas").Index(order)
    quick(task="ordinal", order=order).fit(texts, 9 + labels).save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model")
    assert again.classes_.tolist() == again.order == [9, 10]


@pytest.fixture(scope="module")
def values(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return 1000.0 + 7 * labels


@pytest.fixture(scope="module")
def regressor(
    quick_regressor: MakeRegressor, texts: list[str], values: NDArray[np.float64]
) -> ULMFiTRegressor:
    return quick_regressor(epochs=10).fit(texts, values)


def test_real_values_come_back_in_their_units(
    regressor: ULMFiTRegressor, texts: list[str], values: NDArray[np.float64]
) -> None:
    answers = regressor.predict(texts)
    assert answers.shape == (40,) and answers.dtype == np.float64
    assert 990 < answers.min() < 1003 and 1004 < answers.max() < 1020
    assert regressor.score(texts, values) > 0.3
    assert regressor.predict([]).shape == (0,)
    assert regressor.transform(texts).shape == (40, 48)
    assert regressor.get_feature_names_out()[47] == "ulmfitregressor47"


def test_a_regressor_is_kept(regressor: ULMFiTRegressor, texts: list[str], tmp_path: Path) -> None:
    regressor.save(tmp_path / "model")
    again = ULMFiTRegressor.load(tmp_path / "model", device="cpu", precision="fp32")
    np.testing.assert_array_equal(again.predict(texts), regressor.predict(texts))
    assert again.epochs == 10
    with pytest.raises(InputError, match="open it with ULMFiTRegressor"):
        ULMFiTClassifier.load(tmp_path / "model")
    with pytest.raises(InputError, match="no parameter 'loss'"):
        ULMFiTRegressor.load(tmp_path / "model", loss="focal")


def test_a_classifier_is_not_opened_as_a_regressor(
    quick: Make, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    quick().fit(texts, words).save(tmp_path / "model")
    with pytest.raises(InputError, match="open it with ULMFiTClassifier"):
        ULMFiTRegressor.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (None, "y to be passed"),
        ([1.0] * 39, "40 texts, but y has 39 rows"),
        ([1.0] * 39 + [float("inf")], "infinity"),
        (["much"] * 40, "could not convert"),
        ([1.0] * 40, "nothing to learn"),
        (np.ones((40, 2)), "1d array"),
    ],
)
def test_what_are_no_values_is_told(
    y: Any, told: str, quick_regressor: MakeRegressor, texts: list[str]
) -> None:
    with pytest.raises(ValueError, match=told):
        quick_regressor().fit(texts, y)
