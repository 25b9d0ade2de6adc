"""The shared texts and ids, read by either side."""

import json
from pathlib import Path

import numpy as np


def load(folder: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Documents and their labels."""
    ids, offsets = np.load(folder / "ids.npy"), np.load(folder / "offsets.npy")
    return np.split(ids, offsets[1:-1]), np.load(folder / "labels.npy")


def texts(path: Path, count: int | None = None) -> tuple[list[str], list[str]]:
    """The first `count` texts and their labels."""
    told = json.loads(path.read_text())
    return told["texts"][:count], told["labels"][:count]


def stream(folder: Path, tokens: int) -> np.ndarray:
    """So many ids on end, as often round as it takes."""
    return np.resize(np.load(folder / "ids.npy"), tokens)
