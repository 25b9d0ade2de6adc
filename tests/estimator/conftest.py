"""A tiny language model in a folder, and estimators that fit in a blink."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.text import Encoder

QUICK = {
    "classifier": {
        "peak": 0.1,
        "factor": 1.0,
        "batch": 8,
        "unfreezing": "all",
        "dropouts": {"output": 0, "hidden": 0, "input": 0, "embedding": 0, "weight": 0},
        "head_dropouts": [0, 0],
    },
    "language_model": {"batch": 8, "min_windows": 1},
}
"""settings that learn the tiny texts in few steps"""


def save_untrained(encoder: Encoder, folder: Path) -> None:
    """A language model of both directions, not trained."""
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    directions: tuple[Direction, ...] = ("forward", "backward")
    torch.manual_seed(0)
    weights = {d: LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict() for d in directions}
    bundles.save(Bundle("language-model", sizes, encoder, weights), folder, "")


@pytest.fixture(scope="session")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a language model that knows the words of `texts`."""
    folder = tmp_path_factory.mktemp("lm") / "lm"
    save_untrained(encoder, folder)
    return folder


@pytest.fixture(scope="session")
def words(labels: Any) -> list[str]:
    """The labels of `texts` as strings."""
    return [("bad", "good")[label] for label in labels]


@pytest.fixture(scope="session")
def parameters(lm: Path) -> dict[str, Any]:
    """Of an estimator that skips what it need not do."""
    return {
        "lm": str(lm),
        "settings": QUICK,
        "direction": "forward",
        "finetune": False,
        "epochs": 1,
        "device": "cpu",
        "precision": "fp32",
    }


@pytest.fixture(scope="session")
def quick(parameters: dict[str, Any]) -> Callable[..., ULMFiTClassifier]:
    """Makes a classifier."""
    return lambda **chosen: ULMFiTClassifier(**{**parameters, **chosen})


@pytest.fixture(scope="session")
def quick_regressor(parameters: dict[str, Any]) -> Callable[..., ULMFiTRegressor]:
    """Makes a regressor."""
    return lambda **chosen: ULMFiTRegressor(**{**parameters, **chosen})
