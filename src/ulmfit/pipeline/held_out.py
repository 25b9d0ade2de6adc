"""Learn from some of the labelled rows and measure on others, again and again.

Cross-validation and the search for settings stand on this. The language model is fine-tuned once
and shared; it sees the texts of all rows, never their labels.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ulmfit.budget import Budget
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.pipeline.classifiers import (
    FINETUNED,
    chosen_preset,
    classifier_on,
    language_model_of,
    tuned_on,
    unused_settings,
)
from ulmfit.pipeline.drawing import Draw, draw_labels
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.evaluating import scored
from ulmfit.pipeline.kept_folds import Measured, begin_record, keep_record
from ulmfit.pipeline.options import Source, TrainOptions, directions
from ulmfit.pipeline.passes import told
from ulmfit.pipeline.record import FILE as RECORD
from ulmfit.pipeline.runs import Event, Note
from ulmfit.pipeline.sessions import Session, session
from ulmfit.pipeline.unlabelled import unlabelled_sources
from ulmfit.predict import Predictor
from ulmfit.presets import Preset
from ulmfit.targets.kinds import Kind, Rows

MAIN: dict[Kind, str] = {
    "single": "accuracy",
    "multi": "micro_f1",
    "ordinal": "quadratic_kappa",
    "real": "mae",
}
"""the figure that is looked at first"""
METRICS: dict[Kind, tuple[str, ...]] = {
    "single": ("accuracy", "macro_f1", "log_loss"),
    "multi": ("micro_f1", "macro_f1", "subset_accuracy", "log_loss"),
    "ordinal": ("quadratic_kappa", "mae", "accuracy", "log_loss"),
    "real": ("mae", "rmse", "r2", "spearman"),
}
"""figures that settings can be chosen by"""
LOWER_IS_BETTER = frozenset({"log_loss", "mae", "rmse", "calibration_error"})
SHARES = frozenset({"accuracy", "subset_accuracy", "micro_f1", "macro_f1", "calibration_error"})
"""figures that lie between 0 and 1"""


@dataclass(frozen=True)
class Bench:
    """Labelled rows and how to learn from them.

    `draw` holds the rows; places below count them from 0.
    """

    options: TrainOptions
    preset: Preset
    draw: Draw
    lm: Bundle
    unlabelled: tuple[Source, ...]
    skipped: tuple[str, ...]
    """rows that were left out, for a person"""
    run: Mapping[str, Any] = field(default_factory=dict)
    """what its records begin with (`pipeline.kept_folds.work_told`)"""


def bench(options: TrainOptions) -> Bench:
    """Read the rows and open the language model, as `train` does at its door.

    Raises:
        InputError: as `train`; or test rows were given, which have no part in this.
    """
    if options.test:
        raise InputError("test rows have no part in this: every row that is measured on is drawn")
    if options.teacher is not None:
        raise InputError("a teacher has no part in this: it has seen rows that are measured on")
    chosen = chosen_preset(options)
    options.machine.check()
    options = replace(options, lm=options.language_model)
    options.data.check(need_label=True)
    unlabelled = unlabelled_sources(options)
    options.policy.check(options.task or "single")
    skipped: list[str] = []
    draw = draw_labels(
        options.data,
        options.labels,
        options.machine.seed,
        skipped.append,
        kind=options.task,
        order=options.order,
    )
    options.objective.check(draw.kind, draw.names)
    lm = language_model_of(options)
    directions(options.direction, lm.directions)
    return Bench(options, chosen, draw, lm, tuple(unlabelled), tuple(skipped))


def told_of(on: Bench) -> Iterator[Note]:
    """What the rows are, and what of the settings has no use, for a person."""
    yield from told(list(on.skipped))
    yield Note(on.draw.told())
    yield from unused_settings(on.options)


def with_finetuned(
    on: Bench,
    folder: Path,
    *,
    without: Rows | None = None,
    budget: Budget | None = None,
    chosen: Preset | None = None,
) -> Generator[Event, None, Bench]:
    """The bench with its language model fine-tuned, or as it is where that is not asked for.

    The record of the fine-tuning lies in the language model's folder.

    Args:
        on: the bench.
        folder: keeps the language model; that of an earlier call is used again.
        without: places of rows whose texts it must not see, wherever they stand; None: it sees
            all.
        budget: of it; None for no limit.
        chosen: another preset than the bench's.
    """
    if not on.options.finetune:
        return on
    source = on.options.data

    def texts() -> Iterator[str]:
        others = chain.from_iterable(other.texts(lambda message: None) for other in on.unlabelled)
        every = chain(source.texts(), others)
        if without is None:
            return every
        return distinct(every, on.draw.at(without).texts(source))

    run, record = folder / "finetune", folder / FINETUNED / RECORD
    if not record.parent.exists():
        begin_record(run, on.run, _session(on))
    lm = yield from tuned_on(on.lm, texts, on.options, chosen or on.preset, folder, budget)
    if run.is_dir() and not record.is_file():
        keep_record(run, folder, record.parent, lm.metrics)
    shutil.rmtree(run, ignore_errors=True)  # its checkpoints
    return replace(on, lm=lm, options=replace(on.options, finetune=False))


def learned(
    on: Bench,
    places: Rows,
    folder: Path,
    *,
    seed: int,
    budget: Budget | None = None,
    chosen: Preset | None = None,
) -> Generator[Event, None, Bundle]:
    """A classifier on the rows at `places`; a tenth of them chooses its best epoch.

    Args:
        on: the bench, its language model fine-tuned.
        places: rising.
        folder: for checkpoints; a killed call goes on from there.
        seed: of the head, the dropout, the order and the split.
        budget: of it; None for no limit.
        chosen: another preset than the bench's.
    """
    begin_record(folder, on.run, _session(on))
    part = on.draw.at(places)
    machine = replace(on.options.machine, seed=seed)
    options = replace(on.options, finetune=False, machine=machine)
    texts = part.texts(options.data)
    chosen = chosen or on.preset
    return (yield from classifier_on(on.lm, texts, part, options, chosen, folder, budget))


def measured(on: Bench, bundle: Bundle, places: Rows) -> Measured:
    """A classifier on the rows at `places`."""
    machine = on.options.machine
    predictor = Predictor(bundle, machine.device, machine.precision)
    part = on.draw.at(places)
    logits = np.stack(list(predictor.logits(part.texts(on.options.data))))
    figures = scored(logits, part.labels, bundle.target)
    told = {"kind": on.draw.kind, "labels": bundle.labels, "n": len(places), **figures}
    return Measured(told, bundle.target.model_dump(), logits)


def numbers(figures: dict[str, Any]) -> dict[str, float]:
    """The figures that are single numbers, but for how many rows they are of."""
    return {
        name: float(value)
        for name, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "n"
    }


def _session(on: Bench) -> Session:
    return session(on.options.machine, on.lm.architecture.layer_sizes())
