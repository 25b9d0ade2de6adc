"""Inside scikit-learn: pipelines, searches, cross-validation, calibration, workers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ulmfit.estimator import ULMFiTClassifier, fitting

Make = Callable[..., ULMFiTClassifier]


def lowered(texts: list[str]) -> list[str]:
    return [text.lower() for text in texts]


def test_at_the_end_of_a_pipeline(quick: Make, texts: list[str], words: list[str]) -> None:
    upper = [text.upper() for text in texts]
    pipeline = make_pipeline(FunctionTransformer(lowered), quick()).fit(upper, words)
    alone = quick().fit(texts, words)
    np.testing.assert_array_equal(pipeline.predict_proba(upper), alone.predict_proba(texts))
    assert pipeline.classes_.tolist() == ["bad", "good"]


def test_its_vectors_are_features_for_others(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    union = FeatureUnion([("words", TfidfVectorizer()), ("vectors", quick(epochs=6))])
    pipeline = make_pipeline(union, LogisticRegression()).fit(texts, words)
    assert pipeline.score(texts, words) > 0.8
    names = union.get_feature_names_out()
    assert names[-1] == "vectors__ulmfitclassifier47"


def test_vectors_as_a_data_frame(quick: Make, texts: list[str], words: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    model = quick().set_output(transform="pandas").fit(texts, words)
    table = model.transform(pandas.Series(texts[:3], index=[5, 6, 7]))
    assert table.shape == (3, 48) and table.index.tolist() == [5, 6, 7]
    assert table.columns[0] == "ulmfitclassifier0"


def cross_validated(model: ULMFiTClassifier, texts: Any, y: Any) -> list[Any]:
    return [cross_val_score(model, texts, y, cv=2, error_score="raise")]


def searched(model: ULMFiTClassifier, texts: Any, y: Any) -> list[Any]:
    return answered(GridSearchCV(model, {"epochs": [1]}, cv=2, error_score="raise"), texts, y)


def calibrated(model: ULMFiTClassifier, texts: Any, y: Any) -> list[Any]:
    return answered(CalibratedClassifierCV(model, cv=2), texts, y)


def in_a_pipeline(model: ULMFiTClassifier, texts: Any, y: Any) -> list[Any]:
    return answered(make_pipeline(FunctionTransformer(), model), texts, y)


def answered(tool: Any, texts: Any, y: Any) -> list[Any]:
    tool.fit(texts, y)
    return [tool.classes_, tool.predict(texts), tool.predict_proba(texts), tool.score(texts, y)]


@pytest.mark.parametrize("form", ["strings", "integers"])
@pytest.mark.parametrize("tool", [cross_validated, searched, calibrated, in_a_pipeline])
def test_what_holds_texts_and_labels_changes_no_answer(
    tool: Callable[..., list[Any]],
    form: str,
    quick: Make,
    texts: list[str],
    words: list[str],
    labels: Any,
) -> None:
    """A list, an array, or a series; that of pandas with an index of its own."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    y = words if form == "strings" else (3 + labels).tolist()
    expected = tool(quick(), texts, y)
    index = range(99, 59, -1)
    for made in (np.array, polars.Series, partial(pandas.Series, index=index)):
        for one, other in zip(tool(quick(), made(texts), made(y)), expected, strict=True):
            np.testing.assert_array_equal(one, other)
    assert tool is cross_validated or expected[0].tolist() == sorted(set(y))


def test_out_of_fold_probabilities(quick: Make, texts: list[str], words: list[str]) -> None:
    rows = cross_val_predict(quick(), texts, words, cv=2, method="predict_proba")
    assert rows.shape == (40, 2) and rows.sum(1) == pytest.approx(1)


def test_a_grid_search_fine_tunes_once_a_fold(
    quick: Make, texts: list[str], words: list[str], tmp_path: Any, monkeypatch: Any
) -> None:
    tunings = []
    real = fitting.tuned_on
    monkeypatch.setattr(fitting, "tuned_on", lambda *a: [tunings.append(1), real(*a)][1])
    model = quick(finetune=True, lm_epochs=1, memory=str(tmp_path / "memory"))
    peaks = [{"classifier": {"peak": peak, "batch": 8}} for peak in (0.01, 0.001)]
    grid = {"epochs": [1, 2], "settings": peaks}
    search = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss", error_score="raise")
    search.fit(texts, words)
    assert len(search.cv_results_["params"]) == 4
    assert len(tunings) == 3  # two folds, and all texts at the end
    assert search.best_estimator_.settings == search.best_params_["settings"]
    assert search.predict(texts).shape == (40,)


def test_voting_with_another(quick: Make, texts: list[str], words: list[str]) -> None:
    other = make_pipeline(TfidfVectorizer(), LogisticRegression())
    vote = VotingClassifier([("ulmfit", quick(epochs=6)), ("words", other)], voting="soft")
    assert vote.fit(texts, words).score(texts, words) > 0.8


def test_scorers(quick: Make, texts: list[str], labels: Any) -> None:
    model = quick().fit(texts, labels)
    for name in ("accuracy", "roc_auc", "neg_log_loss", "f1_macro", "average_precision"):
        assert np.isfinite(get_scorer(name)(model, texts, labels))


def test_clone_and_set_params(quick: Make, texts: list[str], words: list[str]) -> None:
    model = quick().fit(texts, words)
    copy = clone(model)
    assert copy.get_params() == model.get_params() and not hasattr(copy, "classes_")
    assert copy.settings == model.settings and copy.settings is not model.settings
    pipeline = make_pipeline(copy).set_params(ulmfitclassifier__epochs=9)
    assert pipeline[-1].epochs == 9 and model.epochs != 9
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        copy.set_params(epoch=1)


@pytest.mark.slow
def test_in_worker_processes(quick: Make, texts: list[str], words: list[str]) -> None:
    scores = cross_val_score(quick(), texts, words, cv=2, n_jobs=2, error_score="raise")
    assert scores.tolist() == cross_val_score(quick(), texts, words, cv=2).tolist()
