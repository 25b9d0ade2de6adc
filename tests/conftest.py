"""A tiny corpus with labels, for every test that runs a stage: words only, no torch."""

import os
import random
import signal
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # models this tiny lose by threads; workers share

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from ulmfit.corpus import Corpus, prepare
from ulmfit.text import Encoder, build_encoder

# What runs in a shell's background is born deaf to Ctrl-C, and so would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Properties are searched in the same way each time, however busy the machine is.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

COMMON = ("the", "a", "film", "plot", "of", "was", "is", "this", "and", "actor", "story", "end")
TELLING = {0: ("bad", "dull", "awful", "boring"), 1: ("good", "great", "fine", "lovely")}


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Forty short reviews, bad and good in turn, of 4 to 60 words."""
    draw = random.Random(0)
    return [
        " ".join(
            draw.choice(TELLING[i % 2] if draw.random() < 0.3 else COMMON)
            for _ in range(draw.randint(4, 60))
        )
        for i in range(40)
    ]


@pytest.fixture(scope="session")
def labels(texts: list[str]) -> NDArray[np.int64]:
    """0 for bad, 1 for good."""
    return np.arange(len(texts)) % 2


@pytest.fixture(scope="session")
def encoder(texts: list[str]) -> Encoder:
    """Knows every word of `texts`."""
    return build_encoder(lambda: iter(texts), min_count=1)


@pytest.fixture(scope="session")
def corpus(texts: list[str], encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """`texts` as ids on disk."""
    folder: Path = tmp_path_factory.mktemp("corpus")
    return prepare(texts, encoder, folder / "ids")


@pytest.fixture(scope="session")
def documents(corpus: Corpus) -> list[NDArray[np.int64]]:
    """`texts` as ids."""
    borders = zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True)
    return [corpus.ids[begin:end].astype(np.int64) for begin, end in borders]
