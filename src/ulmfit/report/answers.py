"""What a model (or its baseline) answers on a set of rows, and which answers are wrong."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.metrics import score, score_ranks, score_sets, score_values
from ulmfit.pipeline.runs import Texts
from ulmfit.predict import Predictor
from ulmfit.report.parts import Part
from ulmfit.targets.decisions import confidence, decide, right
from ulmfit.targets.kinds import Floats, Kind, Labels


@dataclass(frozen=True)
class Answered:
    """The answers on the texts of a part, in order."""

    part: Part
    labels: Labels
    """the true ones"""
    answers: Labels
    probabilities: Floats
    """(texts, classes); of real values the values (texts, 1)"""
    sure: Floats
    """the probability of each answer as a whole; of real values nothing, (0,)"""

    @property
    def kind(self) -> Kind:
        """Of the task."""
        return self.part.coding.kind

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right as a whole; of real values it never is."""
        return right(self.answers, self.labels)

    @property
    def wrong(self) -> int:
        """How many answers are not right; of several labels each pair of text and label counts."""
        return int((self.answers != self.labels).sum())

    def only(self, kept: NDArray[np.bool_]) -> Answered:
        """Some of the texts, (texts,), and their answers."""
        part = self.part.take(self.part.name, self.part.rows[kept])
        sure = self.sure[kept] if len(self.sure) else self.sure
        return Answered(part, self.labels[kept], self.answers[kept], self.probabilities[kept], sure)

    @property
    def figures(self) -> dict[str, Any]:
        """What `ulmfit evaluate` would tell of them."""
        if self.kind == "real":
            return asdict(score_values(self.labels, self.answers))
        if self.kind == "multi":
            return asdict(score_sets(self.labels, self.answers, self.probabilities))
        if self.kind == "ordinal":
            return asdict(score_ranks(self.labels, self.answers, self.probabilities))
        return asdict(score(self.labels, self.probabilities))


def ask(predictor: Predictor, part: Part) -> Generator[Texts, None, Answered]:
    """Let a model answer the texts of a part."""
    kind, what = part.coding.kind, f"answering {part.name} texts"
    rows = []
    given = predictor.values if kind == "real" else predictor.probabilities
    for done, row in enumerate(given(part.texts)):
        if done % 32 == 0:
            yield Texts(what, done, len(part.texts))
        rows.append(np.asarray(row, np.float64))
    return judged(part, np.stack(rows), predictor.target.thresholds)


def judged(part: Part, given: Floats, thresholds: tuple[float, ...] = ()) -> Answered:
    """Answers from probabilities (texts, classes), or from values (texts,) or (texts, 1)."""
    kind, labels = part.coding.kind, part.labels
    if kind == "real":
        values = given.reshape(len(labels), 1)
        return Answered(part, labels, values[:, 0], values, np.empty(0))
    answers = decide(given, kind, thresholds)
    return Answered(part, labels, answers, given, confidence(given, answers, kind))
