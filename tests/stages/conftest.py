"""A tiny language model, not trained, over the words of the tiny corpus."""

import pytest
import torch

from ulmfit.bundle import Bundle, Direction
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.text import Encoder


@pytest.fixture
def tiny(encoder: Encoder) -> Bundle:
    """Both directions; three layers, as the papers'."""
    sizes = Architecture(len(encoder.vocab), 16, 24, 3)  # smaller ones learn by luck
    directions: tuple[Direction, ...] = ("forward", "backward")
    torch.manual_seed(0)
    weights = {d: LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict() for d in directions}
    return Bundle("language-model", sizes, encoder, weights)
