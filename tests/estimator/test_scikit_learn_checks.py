"""scikit-learn's own checks, through an adapter that writes each row of numbers as a text.

The adapter refuses what are no numbers, as an estimator of numbers does; which texts the estimators
themselves refuse, test_texts.py says.
"""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from unittest import SkipTest

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import InputTags, Tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.text import build_encoder

from .conftest import QUICK, save_untrained

ROOT = Path(__file__).resolve().parents[2]
LEVELS = 30  # halves, from -15 to 15; what is beyond is the outermost
COLUMNS = 30  # as many as a check has
LETTERS = string.ascii_lowercase
NAMES = [first + second for first in LETTERS for second in LETTERS][: 2 * LEVELS + 1]
WORDS = [[column + level for level in NAMES] for column in NAMES[:COLUMNS]]
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a weight of 2 is a row doubled in the loss (test_weights.py), but a row that stands "
        "there twice is also drawn into other batches and into the held-out tenth"
    ),
}
SKIPPED = {
    "check_array_api_input": "texts are no arrays of numbers; it runs where SCIPY_ARRAY_API is set",
    "check_classifiers_multilabel_output_format_decision_function": (
        "there is no decision_function: predict_proba tells how sure an answer is"
    ),
}


def as_texts(rows: NDArray[Any]) -> list[str]:
    """A word for each value, made of its column and of the halves in it."""
    levels = np.clip(np.rint(2 * rows.astype(float)), -LEVELS, LEVELS).astype(int) + LEVELS
    return [" ".join(WORDS[c][level] for c, level in enumerate(row)) for row in levels]


class RowsToTexts:
    """What scikit-learn's checks can call: rows of numbers in, the estimator itself beneath."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        rows = validate_data(self, X)
        return super().fit(as_texts(rows), y, sample_weight=sample_weight)

    def predict(self, X: Any) -> NDArray[Any]:
        return super().predict(self._texts(X))

    def transform(self, X: Any) -> NDArray[np.float32]:
        return super().transform(self._texts(X))

    def _texts(self, X: Any) -> list[str]:
        check_is_fitted(self)
        return as_texts(validate_data(self, X, reset=False))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = InputTags()
        return tags


class Classifier(RowsToTexts, ULMFiTClassifier):
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return super().predict_proba(self._texts(X))


class Regressor(RowsToTexts, ULMFiTRegressor):
    pass


@pytest.fixture(scope="module")
def rows_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows") / "lm"
    save_untrained(build_encoder(lambda: map(" ".join, WORDS), min_count=1), folder)
    return folder


@pytest.fixture(autouse=True)
def beside_the_language_model(rows_lm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rows_lm.parent)


LEARNING = {  # the checks that ask how good the answers are
    *{"check_classifiers_train", "check_regressors_train", "check_class_weight_classifiers"},
}
HOW = {
    "lm": "lm",
    "settings": {"classifier": {**QUICK["classifier"], "batch": 32}},
    "direction": "forward",
    "finetune": False,
    "device": "cpu",
    "precision": "fp32",
}


@parametrize_with_checks(
    [Classifier(**HOW), Regressor(**HOW)],
    expected_failed_checks=lambda estimator: EXPECTED,
    xfail_strict=True,
)
def test_check(estimator: BaseEstimator, check: Callable[[Any], None]) -> None:
    name = name_of(check)
    try:
        check(clone(estimator).set_params(epochs=20 if name in LEARNING else 1))
    except SkipTest:
        assert name in SKIPPED
        raise
    assert name not in SKIPPED


def name_of(check: Callable[[Any], None]) -> str:
    return str(getattr(check, "func", check).__name__)


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/scikit-learn.md"])
def test_the_pages_count_the_checks(page: str) -> None:
    """How many pass is what is left: the runs above fail where another one does not."""
    checks = [getattr(each, "values", each)[1] for each in test_check.pytestmark[0].args[1]]
    names = [name_of(check) for check in checks]
    wrong, skipped = (sum(name in some for name in names) for some in (EXPECTED, SKIPPED))
    told = " ".join((ROOT / page).read_text("utf8").split())
    assert (
        f"own {len(names)} checks, through an adapter that checks rows of numbers and writes them "
        f"as texts, {len(names) - wrong - skipped} pass, {skipped} do not apply, and {wrong} (one "
        "check, on both estimators) fail"
    ) in told
