"""How sure an answer is, and where a model that abstains would leave it open."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from ulmfit import bundle as bundles
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.predict import Predictor

Make = Callable[..., ULMFiTClassifier]
TARGETS: dict[str, tuple[dict[str, Any], Any]] = {
    "single": ({}, ["a", "b"] * 20),
    "ordinal": ({"task": "ordinal"}, [1, 2, 3, 4] * 10),
    "lists": ({}, [["a"], ["b", "a"], [], ["c", "b"]] * 10),
    "matrix": ({}, np.array([[0, 1], [1, 0]] * 20)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_that_of_the_predictor(name: str, quick: Make, texts: list[str]) -> None:
    how, y = TARGETS[name]
    model = quick(**how).fit(texts, y)
    expected = [a.confidence for a in Predictor(model.bundle_, "cpu", "fp32").answers(texts)]
    assert model.confidence(texts).tolist() == expected
    assert model.confidence([]).shape == (0,)


def test_of_one_label_it_is_its_probability(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    model = quick().fit(texts, words)
    assert model.confidence(texts).tolist() == model.predict_proba(texts).max(1).tolist()


def test_answers_are_left_open_as_the_model_was_trained_to(
    quick: Make, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    made = quick().fit(texts, words)
    border = float(np.median(made.confidence(texts)))
    target = made.bundle_.target.model_copy(update={"abstain_below": border})
    careful = replace(made.bundle_, target=target)
    bundles.save(careful, tmp_path / "model", "")
    model = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="fp32")
    assert made.bundle_.target.abstain_below is None
    assert model.bundle_.target.abstain_below == border
    answers = model.predict(texts)
    assert set(answers) <= {"bad", "good"}  # each has one
    sure = model.confidence(texts) >= border
    expected = [answer.label for answer in Predictor(careful, "cpu", "fp32").answers(texts)]
    assert [a if s else None for a, s in zip(answers, sure, strict=True)] == expected
    assert 0 < expected.count(None) < 40


def test_it_needs_a_fitted_model_with_classes(quick: Make) -> None:
    with pytest.raises(NotFittedError):
        quick().confidence(["a film"])
    assert not hasattr(ULMFiTRegressor, "confidence")
