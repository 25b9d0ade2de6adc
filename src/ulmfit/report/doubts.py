"""Rows whose label is probably wrong, as the model and the baseline say together."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ulmfit.baseline import Baseline
from ulmfit.label_errors import label_errors
from ulmfit.pipeline.runs import Texts
from ulmfit.predict import Predictor
from ulmfit.report.answers import Answered, ask
from ulmfit.report.parts import Part
from ulmfit.targets.kinds import Floats, Rows

ASKED = 300  # training rows that the baseline doubts most, shown to the model too


@dataclass(frozen=True)
class Doubt:
    """A row whose label is doubted."""

    text: str
    place: str
    part: str
    """the name of its set"""
    given: str
    suggested: str
    confidence: float
    """in `suggested`: the mean of both judges"""
    given_probability: float
    """the same of `given`"""


def doubts(
    answered: list[Answered], train: Part, baseline: Baseline | None, predictor: Predictor
) -> Generator[Texts, None, list[Doubt]]:
    """The rows whose label both judges together contradict, the most doubtful first.

    Held-out rows: the mean of both judges, by confident learning (`label_errors`, which says why
    two judges). Training rows: those that the baseline doubts when it has not seen them, and to
    which the model, which has, gives the same other label all the same.

    Args:
        answered: the model on rows that neither judge has learned from; one label a text.
        train: the rows that the baseline has learned from, in their order.
        baseline: None leaves the doubts of the model alone.
        predictor: the model.
    """
    found = [doubt for a in answered for doubt in _held_out(a, baseline)]
    if baseline is not None and len(baseline.folded):
        found += yield from _learned(train, baseline, predictor)
    return sorted(found, key=lambda doubt: doubt.given_probability)


def _held_out(answered: Answered, baseline: Baseline | None) -> list[Doubt]:
    both = answered.probabilities
    if baseline is not None:
        both = (both + baseline.answers(answered.part.texts)) / 2
    errors = label_errors(both, answered.labels)
    rows = np.array([error.row for error in errors], np.int64)
    suggested = np.array([error.suggested for error in errors], np.int64)
    return _doubts(answered.part, rows, suggested, both[rows])


def _learned(
    train: Part, baseline: Baseline, predictor: Predictor
) -> Generator[Texts, None, list[Doubt]]:
    errors = label_errors(baseline.out_of_fold, train.labels[baseline.folded])[:ASKED]
    errors.sort(key=lambda error: error.row)
    if not errors:
        return []
    rows = train.rows[baseline.folded[[error.row for error in errors]]]
    suggested = np.array([error.suggested for error in errors])
    answered = yield from ask(predictor, train.take("training", rows))
    both = (answered.probabilities + baseline.out_of_fold[[error.row for error in errors]]) / 2
    agreed = np.flatnonzero(answered.answers == suggested)
    return _doubts(answered.part, agreed, suggested[agreed], both[agreed])


def _doubts(part: Part, rows: Rows, suggested: Rows, probabilities: Floats) -> list[Doubt]:
    names, labels = part.coding.names, part.labels
    return [
        Doubt(
            part.texts[row],
            part.places[row],
            part.name,
            names[labels[row]],
            names[other],
            float(given[other]),
            float(given[labels[row]]),
        )
        for row, other, given in zip(rows, suggested, probabilities, strict=True)
    ]
