"""A tiny run to track."""

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
def options(lm: Path, texts: list[str], tmp_path: Path) -> TrainOptions:
    """Both stages, of an epoch each (and the classifier's stages before), with test rows."""
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"{t},{'ab'[i % 2]}\n" for i, t in enumerate(texts)))
    return TrainOptions(
        Source((str(path),)),
        str(tmp_path / "model"),
        Machine("cpu", "fp32", workers=1),
        str(lm),
        test=(str(path),),
        lm_epochs=1,
        epochs=1,
        settings={"classifier": {"batch": 8}},
    )
