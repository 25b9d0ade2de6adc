"""A saved estimator tells how it was trained, as `ulmfit train` does, and nothing private."""

import csv
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

from ulmfit import bundle as bundles
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.report import write_report
from ulmfit.report.history import read_record

from .conftest import QUICK

Make = Callable[..., ULMFiTClassifier]
HOW: dict[str, Any] = {"finetune": True, "direction": None, "lm_epochs": 1, "epochs": 2}
FILE = "training.jsonl"


@pytest.fixture(scope="module")
def model(
    quick: Make, texts: list[str], words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A saved estimator."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    quick(**HOW, random_state=3).fit(texts, words).save(folder)
    return folder


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text("ascii").splitlines()]


def untimed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in r.items() if k != "seconds"} for r in records]


def test_the_steps_are_those_of_ulmfit_train(
    model: Path, lm: Path, texts: list[str], words: list[str], tmp_path: Path
) -> None:
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(texts, words, strict=True)])
    options = TrainOptions(
        Source((str(tmp_path / "data.csv"),)),
        str(tmp_path / "model"),
        Machine("cpu", "fp32", workers=1, seed=3),
        str(lm),
        lm_epochs=1,
        epochs=2,
        settings=QUICK,
    )
    for _ in train(options):
        pass
    mine, theirs = told(model), told(tmp_path / "model")
    assert untimed(mine[1:-1]) == untimed(theirs[1:-1])
    assert mine[-1]["figures"] == theirs[-1]["figures"]
    assert mine[0].keys() == theirs[0].keys()
    assert mine[0]["inputs"][-1]["sha256"] == theirs[0]["inputs"][-1]["sha256"]
    theirs_told = theirs[0]["options"]
    files = {"data", "out", "unlabelled", "test", "labels", "teacher", "pseudo_labels", "align"}
    assert theirs_told.keys() - mine[0]["options"].keys() == files
    for name in mine[0]["options"].keys() - {"lm", "task"}:
        assert mine[0]["options"][name] == theirs_told[name], name


def test_the_first_line_tells_no_text_and_no_place(model: Path, lm: Path, texts: list[str]) -> None:
    first, content = told(model)[0], (model / FILE).read_text()
    assert (first["command"], first["command_line"], first["format"]) == ("fit", [], 1)
    assert first["options"]["lm"] == first["inputs"][0]["path"] == "lm"
    assert first["options"]["machine"]["seed"] == 3
    assert str(lm.parent) not in content and not any(text in content for text in texts)


def test_its_report_draws_the_curves(model: Path, tmp_path: Path) -> None:
    record = read_record(model)
    assert record is not None
    assert [(s.name, s.direction) for s in record.stages] == [
        *(("finetune", d) for d in ("forward", "backward")),
        *(("classifier", d) for d in ("forward", "backward")),
    ]
    assert all(stage.losses and stage.rates and stage.epochs for stage in record.stages)
    for _ in write_report(model, None, tmp_path / "report.html", machine=Machine("cpu", "fp32")):
        pass
    page = (tmp_path / "report.html").read_text("utf8")
    assert page.count("Learning rate of each layer group") >= 4
    assert "There is no training.jsonl" not in page
    assert "was fitted from Python" in page and "The same fit with the same data" in page


def test_a_language_model_from_the_memory_tells_its_steps(
    quick: Make, texts: list[str], words: list[str], model: Path, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        made = quick(**HOW, random_state=3, memory=tmp_path / "memory").fit(texts, words)
        made.save(tmp_path / name)
        assert untimed(told(tmp_path / name)[1:-1]) == untimed(told(model)[1:-1])
    (kept,) = (tmp_path / "memory").iterdir()
    assert bundles.load(kept).kind == "language-model"


def test_the_record_goes_where_the_estimator_goes(model: Path, tmp_path: Path) -> None:
    loaded = ULMFiTClassifier.load(model, device="cpu", precision="fp32")
    file = io.BytesIO()
    joblib.dump(pickle.loads(pickle.dumps(loaded)), file)
    file.seek(0)
    joblib.load(file).save(tmp_path / "again")
    assert (tmp_path / "again" / FILE).read_bytes() == (model / FILE).read_bytes()
    (tmp_path / "again" / FILE).unlink()
    without = ULMFiTClassifier.load(tmp_path / "again")
    without.save(tmp_path / "again", overwrite=True)
    assert not (tmp_path / "again" / FILE).exists()


def test_a_regressor_and_ranks_have_a_record_too(
    quick: Make,
    quick_regressor: Callable[..., ULMFiTRegressor],
    texts: list[str],
    labels: Any,
    tmp_path: Path,
) -> None:
    quick_regressor().fit(texts, labels / 2).save(tmp_path / "real")
    assert told(tmp_path / "real")[0]["options"]["task"] == "real"
    assert "mae" in told(tmp_path / "real")[-1]["figures"]["validation"]
    quick(task="ordinal", order=[1, 0]).fit(texts, labels).save(tmp_path / "ranks")
    assert told(tmp_path / "ranks")[0]["options"]["order"] == ["1", "0"]
