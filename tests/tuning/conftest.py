"""Tiny texts with labels and a tiny language model, for searches that take seconds."""

import csv
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.text import Encoder
from ulmfit.tuning import TuneOptions

Result = TypeVar("Result")


def finish(events: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    """Every event, and what the generator returns."""
    told = []
    while True:
        try:
            told.append(next(events))
        except StopIteration as end:
            return told, end.value


@pytest.fixture(scope="session")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a language model, not trained."""
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    torch.manual_seed(0)
    weights = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(Bundle("language-model", sizes, encoder, {"forward": weights}), folder, "")
    return folder


@pytest.fixture
def data(texts: list[str], tmp_path: Path) -> Path:
    """Forty short reviews with labels."""
    path = tmp_path / "data.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows([text, ("bad", "good")[i % 2]] for i, text in enumerate(texts))
    return path


@pytest.fixture
def options(lm: Path, data: Path, tmp_path: Path) -> TuneOptions:
    """Three trials of a preset that takes one epoch."""
    train = TrainOptions(
        Source((str(data),)),
        str(tmp_path / "search"),
        Machine("cpu", "fp32", workers=1),
        str(lm),
        finetune=False,
        settings={"classifier": {"epochs": 1, "unfreezing": "all"}},
    )
    return TuneOptions(train, trials=3)
