"""`score` looks at what it was given before it answers anything."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.estimator.fitted import Fitted

FORMS: dict[str, Any] = {
    "labels": [0, 1] * 20,
    "lists": [["a"], ["b"]] * 20,
    "matrix": np.array([[0, 1], [1, 0]] * 20),
}


@pytest.fixture(scope="module")
def fitted(quick: Callable[..., ULMFiTClassifier], texts: list[str]) -> dict[str, Any]:
    return {form: quick().fit(texts, y) for form, y in FORMS.items()}


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text may be answered."""
    for name in ("probabilities", "values"):
        monkeypatch.setattr(Fitted, name, None)


@pytest.mark.parametrize("form", FORMS)
def test_the_lengths_are_compared_first(
    form: str, fitted: dict[str, Any], texts: list[str], unread: None
) -> None:
    y = FORMS[form]
    for wrong, rows in ((y[:-1], 39), ([*y, y[0]], 41), ([], 0)):
        with pytest.raises(InputError, match=f"40 texts, but y has {rows} rows"):
            fitted[form].score(texts, wrong)
    with pytest.raises(InputError, match=r"sample_weight: shape \(39,\), but there are 40 texts"):
        fitted[form].score(texts, y, sample_weight=np.ones(39))
    with pytest.raises(InputError, match="sample_weight: every weight is zero"):
        fitted[form].score(texts, y, sample_weight=np.zeros(40))
    with pytest.raises(InputError, match="y: a list, an array or a series is wanted, not NoneType"):
        fitted[form].score(texts, None)


def test_strings_are_no_lists_of_labels(
    fitted: dict[str, Any], texts: list[str], unread: None
) -> None:
    with pytest.raises(InputError, match="y: a list of labels for each text"):
        fitted["lists"].score(texts, ["a", "b"] * 20)
    with pytest.raises(InputError, match=r"y\[1\]: a list of labels"):
        fitted["lists"].score(texts, [["a"], "b"] * 20)


def test_containers_of_every_kind_are_scored(fitted: dict[str, Any], texts: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    model, y = fitted["matrix"], FORMS["matrix"]
    shares = {
        model.score(pandas.Series(texts), pandas.DataFrame(y)),
        model.score(np.array(texts), csr_matrix(y)),
        model.score((text for text in texts), y.tolist()),
    }
    assert shares == {(model.predict(texts) == y).all(1).mean()}
    lists = fitted["lists"]
    assert lists.score(texts, pandas.Series(lists.predict(texts), index=range(40, 0, -1))) == 1


def test_a_regressor_compares_them_too(
    quick_regressor: Callable[..., ULMFiTRegressor], texts: list[str], monkeypatch: Any
) -> None:
    model = quick_regressor().fit(texts, np.arange(40.0))
    answers = model.predict(texts)
    assert model.score(texts, answers) == 1
    heavy = np.where(np.arange(40) < 39, 1, 0)
    assert model.score(texts, [*answers[:-1], 1e6], sample_weight=heavy) == 1
    monkeypatch.setattr(Fitted, "values", None)
    with pytest.raises(InputError, match="40 texts, but y has 39 rows"):
        model.score(texts, answers[:-1])
