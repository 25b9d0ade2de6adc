"""Saved and opened again: the same answers, the same type of labels, no pickle, no surprise."""

import io
import json
import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from ulmfit import bundle as bundles
from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier
from ulmfit.estimator.keeping import with_estimator
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import evaluate

from .conftest import QUICK

Make = Callable[..., ULMFiTClassifier]
LABELS = {
    "strings": ["bad", "good"],
    "objects": np.array(["bad", "good"], object),
    "numbers": [10, 9],
    "bytes of numbers": np.array([1, 0], np.uint8),
    "truth": [False, True],
    "floats": [1.0, -2.0],
}


@pytest.fixture(scope="module")
def fitted_once(quick: Make, texts: list[str], words: list[str]) -> ULMFiTClassifier:
    return quick().fit(texts, words)


@pytest.fixture
def fitted(fitted_once: ULMFiTClassifier) -> ULMFiTClassifier:
    """One that the test may change."""
    return deepcopy(fitted_once)


@pytest.mark.parametrize("name", LABELS)
def test_labels_keep_their_type(
    name: str, quick: Make, texts: list[str], labels: Any, tmp_path: Path
) -> None:
    y = np.asarray(LABELS[name])[labels]
    model = quick().fit(texts, y)
    model.save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="fp32")
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.classes_, model.classes_)
    np.testing.assert_array_equal(again.predict(texts), model.predict(texts))
    np.testing.assert_array_equal(again.predict_proba(texts), model.predict_proba(texts))
    np.testing.assert_array_equal(again.transform(texts), model.transform(texts))


def test_parameters_that_made_the_model_are_kept_and_those_of_the_machine_are_not(
    quick: Make, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    model = quick(
        lm=Path(quick().lm), epochs=np.int64(1), random_state=7, n_jobs=1, memory=tmp_path / "kept"
    )
    model.fit(texts, words).save_pretrained(tmp_path / "model")
    again = ULMFiTClassifier.from_pretrained(tmp_path / "model", verbose=1)
    parameters = again.get_params()
    assert parameters["settings"] == QUICK and parameters["lm"] == "lm"
    assert (parameters["epochs"], parameters["random_state"]) == (1, 7)
    assert (parameters["device"], parameters["precision"]) == ("auto", "auto")
    assert (parameters["n_jobs"], parameters["memory"], parameters["verbose"]) == (None, None, 1)
    assert str(tmp_path) not in "".join(
        path.read_text() for path in (tmp_path / "model").glob("*.[jm][sd]*")
    )
    here = {"lm": quick().lm, "device": "cpu", "precision": "fp32", "verbose": 0}
    refitted = clone(again).set_params(**here).fit(texts, words)
    np.testing.assert_array_equal(refitted.predict_proba(texts), model.predict_proba(texts))


def test_a_saved_model_is_an_ordinary_bundle(
    fitted: ULMFiTClassifier, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    files = {path.name for path in (tmp_path / "model").iterdir()}
    assert files == {
        *{"config.json", "model.safetensors", "tokenizer.json", "metrics.json", "README.md"},
        "training.jsonl",
    }
    rows = "".join(f"{text},{word}\n" for text, word in zip(texts, words, strict=True))
    (tmp_path / "data.csv").write_text("text,label\n" + rows)
    figures = evaluate(
        bundles.load(tmp_path / "model"),
        Source((str(tmp_path / "data.csv"),)),
        Machine("cpu", "fp32"),
    )
    assert figures["accuracy"] == fitted.score(texts, words)


def test_a_bundle_of_another_make_has_labels_that_are_strings(
    fitted: ULMFiTClassifier, texts: list[str], tmp_path: Path
) -> None:
    bundle = fitted.bundle_
    bundle.provenance.pop("estimator")
    bundles.save(bundle, tmp_path / "model", "")
    again = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="fp32")
    assert again.classes_.tolist() == ["bad", "good"]
    assert again.get_params()["settings"] is None
    np.testing.assert_array_equal(again.predict(texts), fitted.predict(texts))


def test_a_folder_is_not_replaced_unasked(fitted: ULMFiTClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "deep" / "model")
    with pytest.raises(InputError, match="overwrite=True"):
        fitted.save(tmp_path / "deep" / "model")
    fitted.save(tmp_path / "deep" / "model", overwrite=True)
    (tmp_path / "photos").mkdir()
    for foreign in (None, '{"model_type": "bert"}', "[1]", "{", ""):
        if foreign is not None:
            (tmp_path / "photos" / "config.json").write_text(foreign)
        with pytest.raises(InputError, match="no model"):
            fitted.save(tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "config.json").is_file()


def test_what_cannot_be_opened_is_told(lm: Path, tmp_path: Path, fitted: ULMFiTClassifier) -> None:
    with pytest.raises(InputError, match="nothing: there is no such folder"):
        ULMFiTClassifier.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="no model bundle"):
        ULMFiTClassifier.load(tmp_path)
    with pytest.raises(InputError, match="lm is a language-model; a classifier is needed"):
        ULMFiTClassifier.load(lm)
    fitted.save(tmp_path / "model")
    with pytest.raises(InputError, match=r"no parameter 'devise'; choose of .*device"):
        ULMFiTClassifier.load(tmp_path / "model", devise="cpu")


FORGED: list[tuple[Any, str]] = [
    ("text", "estimator"),
    ({"classes": 3}, "estimator.classes: an object"),
    ({"classes": {}}, "estimator.classes"),
    ({"classes": {"form": "array", "dtype": "V8", "values": ["bad", "good"]}}, "V8"),
    ({"classes": {"form": "array", "dtype": "int64", "values": ["bad", "good"]}}, "classes"),
    ({"classes": {"form": "array", "dtype": "str", "values": ["good", "bad"]}}, "not its labels"),
    ({"classes": {"form": "array", "dtype": "str", "values": ["bad"]}}, "not its labels"),
    ({"classes": {"form": "array", "dtype": "str", "values": [["bad", "good"]]}}, "classes"),
    ({"classes": {"form": "indicator", "dtype": "str", "values": ["bad", "good"]}}, "form"),
    ({"parameters": ["lm"]}, "estimator.parameters: an object"),
]


@pytest.mark.parametrize(("told", "match"), FORGED)
def test_a_forged_folder_is_refused(
    told: Any, match: str, fitted: ULMFiTClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["provenance"]["estimator"] = told
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=match):
        ULMFiTClassifier.load(tmp_path / "model")


def test_a_model_answers_in_the_precision_it_is_opened_with(
    fitted: ULMFiTClassifier, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    small = ULMFiTClassifier.load(tmp_path / "model", device="cpu", precision="int8")
    rows, exact = small.predict_proba(texts), fitted.predict_proba(texts)
    assert 0 < np.abs(rows - exact).max() < 0.05
    with pytest.raises(InputError, match="int8 is for a classifier's predictions"):
        small.fit(texts, words)


def test_a_parameter_of_a_newer_version_is_passed_over(
    fitted: ULMFiTClassifier, tmp_path: Path
) -> None:
    fitted.bundle_.provenance["estimator"]["parameters"]["of_the_future"] = 1
    fitted.save(tmp_path / "model")
    assert ULMFiTClassifier.load(tmp_path / "model").get_params()["epochs"] == 1


def test_numbers_of_numpy_are_kept(
    quick: Make, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    given = {
        **{"loss": "focal", "focal_gamma": np.float32(1.5), "label_smoothing": np.float16(0.25)},
        **{"calibrate": np.bool_(False), "class_weight": {"bad": np.float32(0.5)}},
        **{"time_budget": np.float32(5), "random_state": np.random},
    }
    quick(**given).fit(texts, words).save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model").get_params()
    assert {name: again[name] for name in given} == {**given, "random_state": None}


def test_a_parameter_that_json_lacks_is_left_out(
    fitted: ULMFiTClassifier, texts: list[str], tmp_path: Path
) -> None:
    strange = {"settings": {1, 2}, "order": [object()], "direction": "\ud800", "time_budget": 7.5}
    parameters = {**fitted.get_params(), **strange, "focal_gamma": float("nan")}
    fitted.bundle_ = with_estimator(fitted.bundle_, parameters, None)
    fitted.save(tmp_path / "model")
    again = ULMFiTClassifier.load(tmp_path / "model").get_params()
    assert (again["settings"], again["order"], again["direction"]) == (None, None, None)
    assert (again["focal_gamma"], again["time_budget"]) == (2.0, 7.5)


def test_it_travels_to_worker_processes(fitted: ULMFiTClassifier, texts: list[str]) -> None:
    expected = fitted.predict_proba(texts)
    pickled = pickle.dumps(fitted)
    np.testing.assert_array_equal(pickle.loads(pickled).predict_proba(texts), expected)
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict_proba(texts), expected)
    weights = sum(tensor.nbytes for tensor in fitted.bundle_.weights["forward"].values())
    assert len(pickled) < 1.5 * weights + 50_000  # not the predictor's copy too
    assert clone(pickle.loads(pickle.dumps(clone(fitted)))).get_params() == fitted.get_params()
