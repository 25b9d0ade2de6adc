"""The studies behind `explain`, `suggest` and `clean` run to their end on a handful of texts.

Whether their figures are right is asked in `test_study_figures.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from ulmfit import pipeline
from ulmfit.explanations import screening
from ulmfit.pipeline.options import Machine, PretrainOptions, Source, TrainOptions

from .running import run_script

MACHINE = Machine("cpu", "fp32", 1)


@pytest.fixture
def data(texts: list[str], labels: NDArray[Any], tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    rows = (f"{text},{['bad', 'good'][y]}" for text, y in zip(texts, labels, strict=True))
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def lm(data: Path, tmp_path: Path) -> Path:
    sizes = {"embedding": 8, "hidden": 12, "layers": 2, "min_count": 1, "batch": 4}
    out = tmp_path / "lm"
    corpus = Source((str(data),)).without_labels()
    list(pipeline.pretrain(PretrainOptions(corpus, str(out), MACHINE, **sizes)))  # type: ignore[arg-type]
    return out


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_study_of_explanations_runs(
    data: Path,
    lm: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FEWEST", "POSITIONS"):  # the study changes them
        monkeypatch.setattr(screening, name, getattr(screening, name))
    out, source = tmp_path / "model", Source((str(data),))
    options = TrainOptions(source, str(out), MACHINE, str(lm), finetune=False, epochs=1)
    list(pipeline.train(options))
    capsys.readouterr()
    run_script("explain_study.py", out, data, "--texts", 4, "--cut", 1, 2)
    lines = told(capsys)
    methods = {line["method"] for line in lines}
    assert methods == {
        *("integrated gradients", "gradients x input", "occlusion", "random, 10 draws")
    }
    falls = {(line["method"], line["cut"]): line["mean_fall"] for line in lines}
    assert falls["occlusion", 1] >= falls["random, 10 draws", 1]  # it takes the largest fall


def test_the_study_of_suggestions_runs(
    data: Path, lm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ("--start", 10, "--step", 5, "--until", 20, "--seeds", 0)
    run_script("suggest_study.py", lm, data, data, *sizes)
    lines = told(capsys)
    curves = {line["way"]: line["accuracy"] for line in lines if "accuracy" in line}
    assert set(curves) == {"random", "margin", "suggest"}
    assert len({curve[0] for curve in curves.values()}) == 1  # the same beginning
    assert all(len(curve) == 3 for curve in curves.values())
    assert {line["way"] for line in lines if "saved" in line} == {"margin", "suggest"}


def test_the_study_of_wrong_labels_runs(
    data: Path, lm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script("clean_study.py", lm, data, "--flip", 0.1, "--seeds", 0, 1)
    lines = told(capsys)
    assert [line["judges"] for line in lines] == ["both", "vectors alone", "words alone"]
    assert all(0 <= float(line["recall"].split()[0]) <= 1 for line in lines)
    (words,) = (line for line in lines if line["judges"] == "words alone")
    assert float(words["accuracy"].split()[0]) > 0.6  # two labels


def test_the_probe_of_language_models_runs(
    data: Path, lm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ("--rows", 24, "--measured", 8, "--labels", 6, "--draws", 2)
    run_script("pooled_features.py", lm, "--data", data, *sizes)
    assert f"{lm}: 6 labels " in capsys.readouterr().out
