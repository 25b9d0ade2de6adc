"""Weights of texts and of classes act, and what is no weight is told.

That a weight of 2 is a text twice in the loss is held in tests/model/test_losses.py.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor, fitting, weights
from ulmfit.estimator.classes import Classes

from .conftest import QUICK

Make = Callable[..., ULMFiTClassifier]


@pytest.fixture(scope="module")
def contradictory(texts: list[str]) -> tuple[list[str], list[int]]:
    """Every text twice, with two labels: nothing but the weights can decide."""
    return [*texts, *texts], [0] * 40 + [1] * 40


@pytest.mark.parametrize("believed", [0, 1])
def test_of_two_that_contradict_the_heavier_is_believed(
    believed: int, quick: Make, contradictory: tuple[list[str], list[int]]
) -> None:
    texts, y = contradictory
    how_much = np.where(np.array(y) == believed, 9.0, 1.0)
    model = quick(epochs=12, calibrate=False).fit(texts, y, sample_weight=how_much)
    assert model.predict_proba(texts)[:, believed].mean() > 0.7  # 0.9 of the weight


def test_a_text_of_weight_zero_is_as_if_it_were_not_there(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    kept = np.arange(40) < 30
    weighted = quick(finetune=True, lm_epochs=1)
    weighted.fit(texts, words, sample_weight=np.where(kept, 1.5, 0))
    alone = quick(finetune=True, lm_epochs=1)
    alone.fit(texts[:30], words[:30], sample_weight=np.full(30, 1.5))
    np.testing.assert_array_equal(weighted.predict_proba(texts), alone.predict_proba(texts))
    for y in ([["a"], ["b"]] * 15 + [["c"]] * 10, np.eye(4, 3, dtype=int)[np.arange(40) % 3]):
        model = quick().fit(texts, y, sample_weight=kept)
        fewer = quick().fit(texts[:30], y[:30])
        assert model.classes_.tolist() == fewer.classes_.tolist()


def test_only_the_ratio_of_weights_counts(quick: Make, texts: list[str], words: list[str]) -> None:
    how_much = np.arange(1.0, 41.0)
    one = quick().fit(texts, words, sample_weight=how_much)
    ten = quick().fit(texts, words, sample_weight=[10 * weight for weight in how_much])
    np.testing.assert_allclose(one.predict_proba(texts), ten.predict_proba(texts), atol=1e-4)


def test_a_regressors_weights(
    quick_regressor: Callable[..., ULMFiTRegressor], texts: list[str]
) -> None:
    both, y = [*texts, *texts], np.repeat([0.0, 10.0], 40)
    for heavy, sign in ((slice(0, 40), -1), (slice(40, 80), 1)):
        how_much = np.ones(80)
        how_much[heavy] = 9
        answers = quick_regressor(epochs=12).fit(both, y, sample_weight=how_much).predict(texts)
        assert sign * (answers.mean() - 5) > 1


def test_a_heavy_class_is_more_probable(
    quick: Make, contradictory: tuple[list[str], list[int]]
) -> None:
    texts, y = contradictory
    for heavy in (0, 1):
        model = quick(epochs=12, calibrate=False, class_weight={heavy: 9}).fit(texts, y)
        assert model.predict_proba(texts)[:, heavy].mean() > 0.7


def test_balanced_weights_make_up_for_a_rare_class(
    quick: Make, contradictory: tuple[list[str], list[int]]
) -> None:
    texts, y = contradictory[0][:50], contradictory[1][:50]

    slow = {**QUICK, "classifier": {**QUICK["classifier"], "peak": 0.02}}

    def mean(how: str | None) -> float:
        """Of short fits: one alone hangs on the order of its sums, a long one on its rows."""
        make = partial(quick, epochs=4, calibrate=False, class_weight=how, settings=slow)
        fits = [make(random_state=seed).fit(texts, y) for seed in range(12)]
        return float(np.mean([fit.predict_proba(texts)[:, 1].mean() for fit in fits]))

    assert mean("balanced") > mean(None) + 0.15  # 0.5 and 0.2 of the weight


def test_class_weights_are_kept_with_their_labels_type(
    quick: Make, texts: list[str], labels: Any, tmp_path: Path
) -> None:
    quick(class_weight={np.int64(0): 2, 1: 0.5}).fit(texts, labels).save(tmp_path / "m")
    assert ULMFiTClassifier.load(tmp_path / "m").class_weight == {0: 2, 1: 0.5}


@pytest.mark.parametrize("options", [{"loss": "focal"}, {"label_smoothing": 0.2}])
def test_options_of_the_loss_act(
    options: dict[str, Any], quick: Make, texts: list[str], words: list[str]
) -> None:
    plain, other = quick().fit(texts, words), quick(**options).fit(texts, words)
    assert not np.array_equal(plain.predict_proba(texts), other.predict_proba(texts))


def test_calibration_changes_probabilities_and_no_answer(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    calibrated, raw = quick().fit(texts, words), quick(calibrate=False).fit(texts, words)
    assert calibrated.bundle_.target.temperature != 1 == raw.bundle_.target.temperature
    assert calibrated.predict(texts).tolist() == raw.predict(texts).tolist()
    assert not np.allclose(calibrated.predict_proba(texts), raw.predict_proba(texts))


def test_weights_pass_through_a_pipeline(quick: Make, texts: list[str], words: list[str]) -> None:
    pipeline = make_pipeline(FunctionTransformer(), quick())
    pipeline.fit(texts, words, ulmfitclassifier__sample_weight=np.arange(1, 41))
    alone = quick().fit(texts, words, sample_weight=np.arange(1, 41))
    np.testing.assert_array_equal(pipeline.predict_proba(texts), alone.predict_proba(texts))
    stacked = make_pipeline(quick(), LogisticRegression()).fit(texts, words)
    assert stacked.predict(texts).shape == (40,)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([1.0] * 39, r"shape \(39,\), but there are 40 texts"),
        (np.ones((40, 1)), r"shape \(40, 1\)"),
        ([1.0] * 39 + [-1], "from 0 up"),
        ([1.0] * 39 + [float("nan")], "finite"),
        ([0] * 40, "every weight is zero"),
        (["heavy"] * 40, "numbers are wanted"),
    ],
)
def test_what_are_no_weights_is_told(
    given: Any, told: str, quick: Make, texts: list[str], words: list[str]
) -> None:
    with pytest.raises(InputError, match=f"sample_weight: .*{told}"):
        quick().fit(texts, words, sample_weight=given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("even", "None, 'balanced' or a dict"),
        ([1, 2], "None, 'balanced' or a dict"),
        (np.array([1, 2]), "None, 'balanced' or a dict"),
        ({"ugly": 2}, "'ugly' is none of the classes: 'bad', 'good'"),
        ({"bad": -2}, "'bad' has -2; a number above 0"),
        ({"bad": "much"}, "'bad' has 'much'; a number above 0"),
        ({"bad": None}, "'bad' has None; a number above 0"),
        ({"bad": [1]}, r"'bad' has \[1\]; a number above 0"),
        ({"bad": 0}, "'bad' has 0; a number above 0"),
        ({"bad": float("nan")}, "'bad' has nan; a number above 0"),
        ({"bad": float("inf")}, "'bad' has inf; a number above 0"),
        ({"bad": 10**400}, "'bad' has 1000.*; a number above 0"),
    ],
)
def test_what_are_no_class_weights_is_told(
    given: Any,
    told: str,
    quick: Make,
    texts: list[str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "language_model_of", None)  # wrong before any work is done
    with pytest.raises(InputError, match=f"class_weight: .*{told}"):
        quick(class_weight=given).fit(texts, words)


def test_class_weights_go_by_the_bundles_names() -> None:
    classes = Classes(np.array([False, True]), "single", "array")
    assert weights.named_weights({True: 3, False: 1}, classes) == {"true": 3, "false": 1}
