"""The embedded language models: which one is taken where none is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ulmfit import device, pretrained
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions


def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "pick_device", lambda name="auto": torch.device("cuda"))


def test_a_gpu_begins_with_what_reads_better(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {m["name"]: m["wikitext103_test"]["forward"] for m in pretrained.models()}
    on_cpu = pretrained.default_model("cpu")
    on_a_gpu(monkeypatch)
    on_gpu = pretrained.default_model()
    assert figures[on_gpu]["word_perplexity"] < figures[on_cpu]["word_perplexity"]
    assert [m["name"] for m in pretrained.models() if m["default"]] == [on_gpu]


def test_a_user_of_the_faster_model_is_told_of_the_better_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = pretrained.begun_with(pretrained.default_model("cpu"))
    assert pretrained.FASTER in told and f"--lm {pretrained.BETTER} reads better" in told
    assert pretrained.begun_with(pretrained.BETTER) == "the language model is en-small"
    (tmp_path / "en-small").mkdir()
    assert pretrained.begun_with("en-small") == "the language model is the folder en-small"


def test_a_run_keeps_its_language_model_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "m"
    rows.write_text("text,label\n" + "a good one,yes\na bad one,no\n" * 6)
    asked = TrainOptions(Source((str(rows),)), str(out), Machine(device="cpu"))
    next(train(asked))
    told = json.loads((tmp_path / "m.run" / "run.json").read_text())["options"]
    assert told["lm"] == pretrained.FASTER
    monkeypatch.setattr(pretrained, "FASTER", pretrained.BETTER)
    assert asked.language_model == pretrained.BETTER
    next(train(replace(asked, lm=told["lm"]), resuming=True))
