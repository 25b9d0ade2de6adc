"""What comes after the training, and the time that a budget keeps for it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from ulmfit.baseline import FOLDS, MOST_TEXTS, fit_baseline, folded_texts
from ulmfit.budget import Budget
from ulmfit.errors import InputError
from ulmfit.explanations.screening import FEWEST, POSITIONS
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.options import Source
from ulmfit.stages.classify import VALID_FRACTION
from ulmfit.targets.kinds import Rows

SAMPLE = 200  # labelled texts that are looked at to know what the others take
DOUBTED = 300  # training texts that a report lets the model answer, at most
EXPLAINED = 8  # mistakes that a report explains, at most


@dataclass(frozen=True)
class Afterwards:
    """What is done with a classifier that was trained."""

    test_rows: int = 0
    report_rows: int = 0
    """of each set, that a report answers at most; 0: no report is written"""

    def kept(self, budget: Budget, draw: Draw, source: Source, models: int) -> Budget:
        """The budget with the time for all this kept back.

        Args:
            budget: of the training and of this.
            draw: the labelled rows.
            source: theirs.
            models: directions that answer.
        """
        if not self.report_rows:
            return replace(budget, documents=models * self.test_rows)
        count = len(draw.rows)
        places, texts = sample(draw, source)
        valid = min(self.report_rows, round(VALID_FRACTION * count))
        reported = valid + min(self.report_rows, self.test_rows) + min(DOUBTED, count)
        return replace(
            budget,
            documents=models * (self.test_rows + reported),
            tokens=models * EXPLAINED * _explaining(texts),
            after=_fitting(texts, draw, places),
        )


def sample(draw: Draw, source: Source) -> tuple[Rows, list[str]]:
    """Places in the draw, rising, and the texts there: enough to know what the others take."""
    places = sampled(len(draw.rows))
    return places, list(draw.at(places).texts(source))


def sampled(rows: int) -> Rows:
    """The places of `sample` among so many rows."""
    places: Rows = np.sort(np.random.default_rng(0).permutation(rows)[:SAMPLE])
    return places


def _explaining(texts: list[str]) -> int:
    """Tokens that are read to explain one of them (`explanations.screening`)."""
    words = fmean(len(text.split()) + 1 for text in texts)
    return round(words * min(words, max(FEWEST, POSITIONS / words)))


def _fitting(texts: list[str], draw: Draw, places: Rows) -> float:
    """Seconds of the baseline on all rows, by what it takes on those at `places`."""
    import sklearn.feature_extraction.text
    import sklearn.linear_model  # noqa: F401  # here, so that the import is not timed

    began = time.monotonic()
    try:
        fit_baseline(texts, draw.labels[places], len(draw.names), draw.kind)
    except InputError:  # too few, or all alike
        return 0.0
    most = folded_texts(len(draw.names), draw.kind)

    def work(rows: int) -> float:
        """All strengths on the folded texts, one strength on the others."""
        return min(rows, most) + max(0, rows - most) / FOLDS

    return (time.monotonic() - began) * work(min(len(draw.rows), MOST_TEXTS)) / work(len(texts))
