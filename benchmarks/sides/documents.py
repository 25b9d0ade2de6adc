"""The shared ids, read by either side."""

from pathlib import Path

import numpy as np


def load(folder: Path, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The first `count` documents and their labels."""
    ids, offsets = np.load(folder / "ids.npy"), np.load(folder / "offsets.npy")
    documents = np.split(ids, offsets[1:-1])[:count]
    return documents, np.load(folder / "labels.npy")[:count]
