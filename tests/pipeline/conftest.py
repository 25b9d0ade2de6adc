"""A tiny language model in a folder, and the tiny texts as a file with labels."""

import csv
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.options import Machine
from ulmfit.text import Encoder

MACHINE = Machine("cpu", "fp32", workers=1)
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
    """The folder of a language model of both directions, not trained."""
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    directions: tuple[Direction, ...] = ("forward", "backward")
    torch.manual_seed(0)
    weights = {d: LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict() for d in directions}
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(Bundle("language-model", sizes, encoder, weights), folder, "")
    return folder


@pytest.fixture
def data(texts: list[str], tmp_path: Path) -> Path:
    """reviews.csv: forty texts, thirty of them with a label."""
    path = tmp_path / "reviews.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for i, text in enumerate(texts):
            rows.writerow([text, ("bad", "good")[i % 2] if i < 30 else ""])
    return path
