"""Estimators take a model of the hub where they take a folder."""

from pathlib import Path

import numpy as np
import pytest

from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier
from ulmfit.hub.sharing import push

from .conftest import FakeHub

HERE = {"device": "cpu", "precision": "fp32"}


def test_an_estimator_of_the_hub_answers(
    hub: FakeHub, classifier: Path, texts: list[str], labels: list[int], tmp_path: Path
) -> None:
    """It is saved with labels that are numbers, and trained on a language model of the hub."""
    push(classifier, "me/reviews")
    ours = ULMFiTClassifier.load("hf://me/reviews", **HERE)
    theirs = ULMFiTClassifier.load(classifier, **HERE)
    np.testing.assert_array_equal(ours.predict_proba(texts), theirs.predict_proba(texts))
    assert ours.predict(texts).tolist() == theirs.predict(texts).tolist()


def test_an_estimator_begins_with_a_language_model_of_the_hub(
    hub: FakeHub, lm: Path, texts: list[str], labels: list[int], tmp_path: Path
) -> None:
    push(lm, "me/lm")
    how = {"finetune": False, "epochs": 1, "random_state": 0, **HERE}
    model = ULMFiTClassifier("hf://me/lm", **how).fit(texts, labels)
    beside = ULMFiTClassifier(lm, **how).fit(texts, labels)
    np.testing.assert_array_equal(model.predict_proba(texts), beside.predict_proba(texts))
    model.save(tmp_path / "model")
    push(tmp_path / "model", "me/numbers")
    again = ULMFiTClassifier.load("hf://me/numbers", **HERE)
    assert again.predict(texts).tolist() == model.predict(texts).tolist()
    assert again.get_params()["lm"] == "hf://me/lm" and again.classes_.tolist() == [0, 1]
    again.save(tmp_path / "again")
    assert not (tmp_path / "again" / "training.jsonl").exists()  # that did not go up


@pytest.mark.parametrize("name", ["hf://me/nothing", "hf://me/reviews@never", "hf://me"])
def test_a_wrong_name_is_told(
    name: str, hub: FakeHub, classifier: Path, texts: list[str], labels: list[int]
) -> None:
    push(classifier, "me/reviews")
    with pytest.raises(InputError, match=name):
        ULMFiTClassifier.load(name)
    with pytest.raises(InputError, match=name):
        ULMFiTClassifier(name).fit(texts, labels)
