"""The classifier by itself: it is `ulmfit train`, on arrays, with labels of any type."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ulmfit import bundle as bundles
from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, fitting
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.predict import predict
from ulmfit.vectors import document_vectors

from .conftest import QUICK

Make = Callable[..., ULMFiTClassifier]


@pytest.fixture(scope="module")
def fitted(quick: Make, texts: list[str], words: list[str]) -> ULMFiTClassifier:
    return quick(epochs=12).fit(texts, words)


def test_the_road_is_that_of_ulmfit_train(
    quick: Make, lm: Path, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    more = ["one more film , and a plot", "the end of this story was great"]
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(texts, words, strict=True)])
    (tmp_path / "more.txt").write_text("\n\n".join(more))
    options = TrainOptions(
        Source((str(tmp_path / "data.csv"),)),
        str(tmp_path / "model"),
        Machine("cpu", "fp32", workers=1, seed=3),
        str(lm),
        unlabelled=(str(tmp_path / "more.txt"),),
        lm_epochs=1,
        epochs=1,
        settings=QUICK,
    )
    for _ in train(options):
        pass
    model = quick(finetune=True, direction=None, lm_epochs=1, epochs=1, random_state=3)
    model.fit(texts, words, unlabelled=more)
    expected = np.stack(list(predict(bundles.load(tmp_path / "model"), texts, precision="fp32")))
    assert model.bundle_.directions == ("forward", "backward")
    np.testing.assert_array_equal(model.predict_proba(texts), expected)


def test_it_learns(fitted: ULMFiTClassifier, texts: list[str], words: list[str]) -> None:
    assert fitted.score(texts, words) > 0.8
    assert fitted.predict(["an awful , dull plot", "a great , lovely film"]).tolist() == [
        "bad",
        "good",
    ]


def test_columns_are_as_classes(fitted: ULMFiTClassifier, texts: list[str]) -> None:
    probabilities = fitted.predict_proba(texts)
    assert fitted.classes_.tolist() == ["bad", "good"]
    assert probabilities.shape == (40, 2) and probabilities.sum(1) == pytest.approx(1)
    assert (fitted.classes_[probabilities.argmax(1)] == fitted.predict(texts)).all()


def test_document_vectors(fitted: ULMFiTClassifier, texts: list[str]) -> None:
    vectors = fitted.transform(texts)
    expected = np.stack(list(document_vectors(fitted.bundle_, texts, "cpu", "fp32")))
    np.testing.assert_array_equal(vectors, expected)
    assert vectors.shape == (40, 3 * 16) == (40, len(fitted.get_feature_names_out()))
    assert vectors.dtype == np.float32


def test_no_text_has_no_answer_and_an_empty_one_has(fitted: ULMFiTClassifier) -> None:
    assert fitted.predict([]).shape == (0,) and fitted.predict([]).dtype == fitted.classes_.dtype
    assert fitted.predict_proba([]).shape == (0, 2) and fitted.transform([]).shape == (0, 48)
    assert fitted.predict_proba([""]).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "values",
    [(7, 3), (True, False), (np.float64(2), np.float64(1)), ("\N{SNOWMAN}", "<b>")],
    ids=["numbers", "truth", "floats", "strings"],
)
def test_labels_come_back_as_they_were(
    values: tuple[Any, Any], quick: Make, fitted: ULMFiTClassifier, texts: list[str]
) -> None:
    y = [values[i % 2] for i in range(40)]
    model = quick(epochs=12).fit(texts, y)
    answers = model.predict(texts)
    assert answers.dtype == np.array(y).dtype and set(answers.tolist()) <= set(values)
    assert (answers == np.array(y)).mean() > 0.8


def test_the_same_seed_gives_the_same_model_and_leaves_the_callers_random_numbers(
    quick: Make, fitted: ULMFiTClassifier, texts: list[str], words: list[str]
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = clone(fitted).fit(texts, words)
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(again.predict_proba(texts), fitted.predict_proba(texts))
    other = quick(random_state=1).fit(texts, words)
    assert not np.array_equal(other.predict_proba(texts), fitted.predict_proba(texts))


def test_a_random_state_draws_as_scikit_learns(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    seeds = [
        quick(random_state=np.random.RandomState(2)).fit(texts, words).bundle_.provenance["seed"]
        for _ in range(2)
    ]
    assert seeds[0] == seeds[1]
    np.random.seed(0)
    drawn = [
        quick(random_state=None).fit(texts, words).bundle_.provenance["seed"] for _ in range(2)
    ]
    assert drawn[0] != drawn[1]


def test_before_fit_there_is_no_answer(quick: Make, tmp_path: Path) -> None:
    model = quick()
    for ask in (model.predict, model.predict_proba, model.transform, model.save):
        with pytest.raises(NotFittedError):
            ask(["a film"])
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()


def test_it_is_silent_unless_told_to_speak(
    quick: Make, texts: list[str], words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    quick().fit(texts, words)
    assert capfd.readouterr() == ("", "")
    quick(verbose=1, finetune=True, lm_epochs=1, epochs=2).fit(texts, words)
    lines = capfd.readouterr().out.splitlines()
    assert all(line.startswith("[ulmfit] ") for line in lines)
    assert any("fine-tuning the language model, forward: 1 epochs" in line for line in lines)
    assert any("accuracy" in line for line in lines)


def test_nothing_is_left_on_disk(
    quick: Make, texts: list[str], words: list[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    quick(finetune=True, lm_epochs=1).fit(texts, words)
    with pytest.raises(InputError):
        quick(finetune=True).fit(["a film", "a plot", "the end"], ["x", "x", "y"])
    assert not list(tmp_path.iterdir())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lm": "no-such-model"}, "no-such-model"),
    ({"lm": 7}, "lm: a name or a folder"),
    ({"preset": "v3"}, "'v3': choose one of default"),
    ({"settings": {"classifier": {"pek": 0.1}}}, "did you mean 'peak'"),
    ({"settings": "fast"}, "settings: None or a dict"),
    ({"direction": "sideways"}, "'sideways': choose one of"),
    ({"epochs": 0}, "epochs: None or a whole number"),
    ({"lm_epochs": 1.5}, "lm_epochs: None or a whole number"),
    ({"time_budget": -1}, "time_budget: None or minutes above 0"),
    ({"device": "tpu9"}, "'tpu9'"),
    ({"precision": "fp8"}, "'fp8'"),
    ({"n_jobs": 0}, "n_jobs: None or a whole number but 0"),
    ({"memory": 3}, "memory: a folder is wanted"),
    ({"loss": "hinge"}, "'hinge': choose one of cross-entropy, focal"),
    ({"focal_gamma": -1}, "focal gamma -1"),
    ({"label_smoothing": 1}, "label smoothing 1"),
    ({"class_weight": {"bad": -1}}, "a number above 0"),
    ({"task": "multi"}, "form of a single-label target"),
    ({"random_state": -1}, "random_state: a whole number"),
    ({"random_state": "seed"}, "random_state: a whole number"),
    ({"finetune": "no"}, "finetune: True or False"),
    ({"calibrate": "False"}, "calibrate: True or False"),
    ({"verbose": "1"}, "verbose: 0, 1 or 2"),
    ({"preset": ["v2"]}, "preset: a name"),
    ({"direction": ["forward"]}, "direction: a name"),
    ({"device": None}, "device: a name"),
    ({"precision": 16}, "precision: a name"),
    ({"abstain_below": "0.5"}, "abstain_below: None or a number"),
    ({"abstain_below": 2}, "abstain below 2"),
    ({"coverage": 0}, "coverage 0"),
    ({"coverage": 0.9, "abstain_below": 0.5}, "both draw the same border"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_a_wrong_parameter_is_told_by_fit_and_not_before(
    wrong: dict[str, Any],
    told: str,
    quick: Make,
    texts: list[str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = quick(finetune=True).set_params(**wrong)
    monkeypatch.setattr(fitting, "tuned_on", None)  # wrong before any work is done
    with pytest.raises(InputError, match=told):
        model.fit(texts, words)


def test_wrong_texts_and_labels_are_told(
    quick: Make, texts: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "tuned_on", None)  # wrong before any work is done
    model = quick(finetune=True)
    with pytest.raises(InputError, match="40 texts, but y has 39 rows"):
        model.fit(texts, words[1:])
    with pytest.raises(InputError, match=r"texts\[1\]"):
        model.fit([texts[0], None], ["bad", "good"])
    with pytest.raises(InputError, match=r"unlabelled\[0\]"):
        model.fit(texts, words, unlabelled=[3])
    with pytest.raises(InputError, match=r"unlabelled: .*finetune"):
        quick().fit(texts, words, unlabelled=["a film"])
    with pytest.raises(InputError, match=r"lm_epochs: .*finetune is False"):
        quick(lm_epochs=2).fit(texts, words)
    with pytest.raises(InputError, match="'good' has 1 row"):
        model.fit(texts[:3], ["bad", "bad", "good"])
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "confidence"])
def test_wrong_texts_are_told_by_every_method(fitted: ULMFiTClassifier, method: str) -> None:
    for wrong, told in (
        ("a good film", "not one string"),
        (None, "not NoneType"),
        (np.array([["a film", "a plot"]]), "not a table"),
        (["a film", None], r"texts\[1\]: a string is wanted"),
    ):
        with pytest.raises(InputError, match=told):
            getattr(fitted, method)(wrong)
    with pytest.raises(InputError, match="not one string"):
        fitted.score("a good film", ["bad"] * 11)


def test_the_border_of_a_model_that_abstains(
    quick: Make, texts: list[str], words: list[str]
) -> None:
    assert quick().fit(texts, words).bundle_.target.abstain_below is None
    model = quick(abstain_below=0.75).fit(texts, words)
    assert model.bundle_.target.abstain_below == 0.75
    assert set(model.predict(texts)) <= {"bad", "good"}  # an estimator answers every text
    drawn = quick(coverage=0.5).fit(texts, words).bundle_.target.abstain_below
    assert drawn is not None and drawn > 0


def test_a_parameter_that_is_set_after_fit_counts(
    fitted: ULMFiTClassifier, texts: list[str]
) -> None:
    model = clone(fitted).set_params(precision="fp32")
    model._learned(fitted.bundle_, None, fitted._classes)
    before, models = model.predict_proba(texts), model._fitted
    assert model._fitted is models  # nothing is built anew where nothing changed
    model.set_params(precision="int8")
    after = model.predict_proba(texts)
    assert model._fitted._predictor.precision == "int8"
    np.testing.assert_allclose(after, before, atol=0.05)
    with pytest.raises(InputError, match="tpu9"):
        model.set_params(device="tpu9").predict(texts)
