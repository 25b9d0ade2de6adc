"""A finished classifier on labelled rows: the figures of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.manifest import TargetConfig
from ulmfit.metrics import coverage_curve, score, score_ranks, score_sets, score_values
from ulmfit.pipeline.known import count_known, known_rows
from ulmfit.pipeline.options import Machine, Source
from ulmfit.predict import Predictor
from ulmfit.stages.deciding import calibration
from ulmfit.targets.answers import probabilities, values
from ulmfit.targets.decisions import confidence, decide, right
from ulmfit.targets.encoding import Coding, Target
from ulmfit.targets.kinds import Floats, Labels

Progress = Callable[[int, int | None], None]
"""called with how much is done and of how much"""


def evaluate(
    bundle: Bundle,
    source: Source,
    machine: Machine,
    progress: Progress = lambda done, total: None,
    on_bad: Callable[[str], None] | None = None,
    abstain_below: float | None = None,
) -> dict[str, Any]:
    """Figures of a classifier on labelled rows; rows without a label are passed over.

    Args:
        bundle: a classifier.
        source: the rows.
        machine: where to compute.
        progress: told how many rows are done.
        on_bad: called with a message for each row left out.
        abstain_below: the least confidence of an answer; None takes the model's border, if any.

    Returns:
        `kind`, `labels`, `precision`, and by kind the fields of `metrics.Scores`, `SetScores`,
        `RankScores` or `ValueScores`; of a model of two directions also `each_direction`, the same
        single figures of the one and the other alone. But of real values, also: `coverage`, the
        curve of accuracy against coverage; `abstaining`, what is left where there is a border;
        `calibration`, the error before and after where there is a temperature.

    Raises:
        InputError: no labelled row, or a label that the model does not know.
    """
    source = labelled_source(source, bundle.target)
    source.check(need_label=True)
    predictor = Predictor(bundle, machine.device, machine.precision)
    kind = bundle.target.kind
    predictor.answers([], abstain_below)  # refuses a border that is none
    total = count_known(source, bundle.labels, on_bad, kind)
    truth: list[Target] = []

    def texts() -> Iterator[str]:
        for text, target in known_rows(source, bundle.labels, kind=kind):
            truth.append(target)
            yield text

    logits = []
    for row in predictor.logits(texts()):
        logits.append(row)
        progress(len(logits), total)
    target = bundle.target
    if abstain_below is not None:
        target = target.model_copy(update={"abstain_below": abstain_below})
    labels = Coding(kind, bundle.labels).array(truth)
    rows = np.stack(logits)
    told: dict[str, Any] = {"kind": kind, "labels": bundle.labels}
    told |= {"precision": predictor.precision, **scored(rows, labels, target)}
    if len(bundle.directions) > 1:
        told["each_direction"] = {
            direction: _single_figures(scored(rows[:, [i]], labels, target))
            for i, direction in enumerate(bundle.directions)
        }
    return told


def labelled_source(source: Source, target: TargetConfig) -> Source:
    """The files read as a model of that target was taught to; weights are no matter here."""
    multi = target.kind == "multi"
    separator = source.separator or (target.separator or None if multi else None)
    return replace(source, separator=separator, sample_weight=None)


def scored(logits: Floats, labels: Labels, target: TargetConfig) -> dict[str, Any]:
    """The figures of the target's kind.

    Args:
        logits: (texts, directions, outputs).
        labels: as `targets.kinds`.
        target: what the outputs mean.
    """
    if target.kind == "real":
        return asdict(score_values(labels, values(logits, target.mean, target.scale)))
    rows = probabilities(logits, target.kind, target.temperature)
    answers = decide(rows, target.kind, target.thresholds)
    told = _by_kind(labels, answers, rows, target)
    sure, hits = confidence(rows, answers, target.kind), right(answers, labels)
    told["coverage"] = [asdict(point) for point in coverage_curve(sure, hits)]
    if target.abstain_below:
        told["abstaining"] = _abstaining(sure, hits, target.abstain_below)
    if target.temperature != 1:
        told["calibration"] = calibration(logits, labels, target.kind, target.temperature)
    return told


def _single_figures(figures: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if isinstance(value, float)}


def _by_kind(labels: Labels, answers: Labels, rows: Floats, target: TargetConfig) -> dict[str, Any]:
    if target.kind == "multi":
        sets = score_sets(labels, answers, rows)
        interval = list(sets.subset_accuracy_ci)
        return {**asdict(sets), "subset_accuracy_ci": interval}
    if target.kind == "ordinal":
        ranks = score_ranks(labels, answers, rows)
        return {**asdict(ranks), "accuracy_ci": list(ranks.accuracy_ci)}
    classes = score(labels, rows)
    return {**asdict(classes), "accuracy_ci": list(classes.accuracy_ci)}


def _abstaining(sure: Floats, hits: Labels, border: float) -> dict[str, Any]:
    """What remains where the unsure answers are left open; no accuracy where none remains."""
    answered = sure >= border
    n = int(answered.sum())
    return {
        "below": border,
        "coverage": float(answered.mean()),
        "accuracy": float(hits[answered].mean()) if n else None,
        "n": n,
    }
