"""The surest wrong answers, and the words that caused them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ulmfit.errors import InputError
from ulmfit.explanations import Word, explain
from ulmfit.pipeline.runs import Texts
from ulmfit.predict import Predictor
from ulmfit.report.answers import Answered

SHOWN = 8  # mistakes; each explanation reads its text some tens of times
LONGEST = 20_000  # characters of a text that is still explained


@dataclass(frozen=True)
class Mistake:
    """One wrong answer."""

    text: str
    place: str
    told: str
    """the label that was answered; of several labels the one that is wrong"""
    true: str
    told_probability: float | None
    """of `told`; None for real values"""
    true_probability: float | None
    """of `true`; None where that is no single label"""
    missed: bool
    """of several labels: `told` was left out wrongly"""
    words: tuple[Word, ...]
    """what speaks for `told`, and against it"""


def mistakes(answered: Answered, predictor: Predictor) -> Generator[Texts, None, list[Mistake]]:
    """The worst ones first, at most `SHOWN`."""
    chosen = _worst(answered)
    found = []
    for done, (row, label) in enumerate(chosen):
        yield Texts("explaining mistakes", done, len(chosen))
        found.append(_mistake(answered, row, label, predictor))
    return found


def _worst(answered: Answered) -> list[tuple[int, int]]:
    """(row, class) of the surest wrong answers; of real values the class is 0."""
    if answered.kind == "real":
        distance = np.abs(answered.answers - answered.labels)
        rows = np.argsort(-distance, kind="stable")[:SHOWN]
        return [(int(row), 0) for row in rows if distance[row] > 0]
    if answered.kind == "multi":
        wrong = answered.answers != answered.labels
        sure = np.where(answered.answers, answered.probabilities, 1 - answered.probabilities)
        flat = np.argsort(-np.where(wrong, sure, -1.0), axis=None, kind="stable")[:SHOWN]
        pairs = [np.unravel_index(int(i), wrong.shape) for i in flat]
        return [(int(row), int(label)) for row, label in pairs if wrong[row, label]]
    rows = np.flatnonzero(~answered.right)
    rows = rows[np.argsort(-answered.sure[rows], kind="stable")][:SHOWN]
    return [(int(row), int(answered.answers[row])) for row in rows]


def _mistake(answered: Answered, row: int, label: int, predictor: Predictor) -> Mistake:
    part, kind = answered.part, answered.kind
    names, target = part.coding.names, part.targets[int(part.rows[row])]
    true_probability = told_probability = None
    if kind != "real":
        told_probability = float(answered.probabilities[row, label])
    if isinstance(target, int) and kind != "real":
        true_probability = float(answered.probabilities[row, target])
    return Mistake(
        text=part.texts[row],
        place=part.places[row],
        told=f"{answered.answers[row]:.4g}" if kind == "real" else names[label],
        true=part.told(target),
        told_probability=told_probability,
        true_probability=true_probability,
        missed=kind == "multi" and not answered.answers[row, label],
        words=_words(part.texts[row], None if kind == "real" else names[label], predictor),
    )


def _words(text: str, label: str | None, predictor: Predictor) -> tuple[Word, ...]:
    if len(text) > LONGEST:
        return ()
    try:
        return explain(predictor, text, label=label).words
    except InputError:  # a text of spaces alone has no words
        return ()
