"""A tiny classifier, not trained, and a pool of texts."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ulmfit.bundle import Bundle, HeadConfig, empty_classifier
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pipeline.options import Machine, Source
from ulmfit.text import Encoder

MACHINE = Machine("cpu", "fp32", workers=1)


@pytest.fixture(scope="session")
def classifier(encoder: Encoder) -> Bundle:
    sizes, head = Architecture(len(encoder.vocab), 8, 8, 2), HeadConfig(hidden=8)
    torch.manual_seed(0)
    weights = {"forward": empty_classifier(sizes, head, 3).state_dict()}
    labels = ["bad", "good", "so"]
    return replace(
        Bundle("classifier", sizes, encoder, {}, labels=labels, head=head), weights=weights
    )


@pytest.fixture
def pool(texts: list[str], tmp_path: Path) -> Source:
    """Forty texts, the first ten twice, with a number and a column for the label."""
    path = tmp_path / "pool.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "label"])
        rows.writerows([i, text, "good" if i >= 35 else ""] for i, text in enumerate(texts))
        rows.writerows([40 + i, text.upper(), ""] for i, text in enumerate(texts[:10]))
    return Source((str(path),))
