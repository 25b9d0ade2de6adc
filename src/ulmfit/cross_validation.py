"""Floor 4: how good a classifier becomes on data like these, by k-fold cross-validation."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit import figures as sentences
from ulmfit.budget import Budget
from ulmfit.data.write_rows import PredictionWriter
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.manifest import TargetConfig
from ulmfit.metrics.resampled import Resampled, resampled
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.afterwards import sample
from ulmfit.pipeline.held_out import (
    SHARES,
    Bench,
    bench,
    learned,
    measured,
    numbers,
    told_of,
    with_finetuned,
)
from ulmfit.pipeline.kept_folds import Measured, settle, tidy, work_told
from ulmfit.pipeline.options import TrainOptions, directions
from ulmfit.pipeline.shares import language_models_part
from ulmfit.pipeline.use import refuse_input_as_output
from ulmfit.pipeline.work import opened_work, request
from ulmfit.predict import answers
from ulmfit.targets.folds import stratified_folds
from ulmfit.targets.kinds import Rows

RESULT = "cross-validation.json"
ASKED = ("folds", "repeats", "lm_per_fold")  # options that make another work
SHARED = (
    "fine-tuned once, on the texts of all rows: those that are measured on too, not their labels"
)
PER_FOLD = "fine-tuned for each fold, without the texts that are measured on"
GIVEN = "as given, not fine-tuned"


@dataclass(frozen=True)
class CrossValidationOptions:
    """`ulmfit cross-validate`."""

    train: TrainOptions
    """how to learn; its `out` is the folder of the work, its time budget is for all of it"""
    folds: int = 5
    """Kohavi 1995 finds ten or fewer best; five leave 80% to learn from at half of the time"""
    repeats: int = 1
    """each with folds and a seed of its own"""
    lm_per_fold: bool = False
    """fine-tune the language model for each fold, on the texts that it learns from"""
    predictions: str | None = None
    """a file for every labelled row with the answer of the model that had not seen it"""


@dataclass(frozen=True)
class CrossValidated:
    """What came out."""

    kind: str
    rows: int
    folds: int
    repeats: int
    language_model: str
    """what it has seen"""
    each: list[dict[str, Any]]
    """repeat, fold, train_rows and the figures of `evaluate`, fold after fold"""
    summary: dict[str, Resampled]
    """of each figure that is a single number"""
    predictions: str | None


def cross_validate(
    options: CrossValidationOptions, *, overwrite: bool = False
) -> Generator[Event, None, CrossValidated]:
    """Hold out each fold in turn, learn from the others, measure on it.

    Each learner is the whole of `train`: a tenth of the rows that it learns from chooses its best
    epoch, its temperature and its thresholds. The same call again goes on where one was stopped.

    Raises:
        InputError: the data, the language model or an option is wrong, or the answers would
            replace a file that is read.
        OSError: the disk is full, and the like; what was done stays in the folder.
    """
    budget = Budget.of(options.train.time_budget)
    on = bench(options.train)
    deals = _deals(on, options)
    if options.predictions:
        _check(on, Path(options.predictions))
    own = {name: getattr(options, name) for name in ASKED}
    told = {**own, "predictions": options.predictions}
    on = replace(on, run=work_told("cross-validate", options.train, told))
    folder, asked = Path(options.train.out), request("cross-validate", options.train, own)
    with opened_work(folder, asked, on.run["inputs"], overwrite=overwrite):
        return (yield from _cross_validated(on, options, deals, folder, budget))


def _cross_validated(
    on: Bench,
    options: CrossValidationOptions,
    deals: list[Deal],
    folder: Path,
    budget: Budget | None,
) -> Generator[Event, None, CrossValidated]:
    on.draw.keep(folder)
    yield from told_of(on)
    if not options.lm_per_fold:
        part = _part(on, budget, len(on.draw.rows) // options.folds, len(deals))
        on = yield from with_finetuned(on, folder, budget=part)
    found: list[Measured] = []
    for number, (repeat, fold, held_out) in enumerate(deals):
        place = folder / f"{repeat}-{fold}"
        done = Measured.load(place)
        if done is None:
            part = None if budget is None else budget.slice(len(deals) - number)
            each = replace(on, run={**on.run, "repeat": repeat, "fold": fold})
            done = yield from _fold(each, held_out, place, repeat, part)
        tidy(place)
        found.append(done)
        yield Note(_line(options, repeat, fold, done))
    result = _result(on, options, deals, found)
    told = json.dumps(asdict(result), indent=2, default=float)
    write_atomically(folder / RESULT, (told + "\n").encode())
    if options.predictions:
        _write(on, deals, found, Path(options.predictions))
    return result


def _check(on: Bench, out: Path) -> None:
    """Raise InputError where the answers cannot be written there, or would replace an input."""
    PredictionWriter(out, on.draw.names)  # refuses what it cannot write
    for source in (on.options.data, *on.unlabelled):
        refuse_input_as_output(source, out)


Deal = tuple[int, int, Rows]
"""repeat and fold, from 1, and the places of the rows that are held out"""


def _deals(on: Bench, options: CrossValidationOptions) -> list[Deal]:
    if options.repeats < 1:
        raise InputError(f"{options.repeats} repeats: at least 1 is needed")
    draw, seed = on.draw, options.train.machine.seed
    deals = []
    for repeat in range(options.repeats):
        dealt = stratified_folds(draw.labels, draw.names, options.folds, seed + repeat, draw.kind)
        for fold in range(options.folds):
            deals.append((repeat + 1, fold + 1, np.flatnonzero(dealt == fold)))
    return deals


def _fold(
    on: Bench, held_out: Rows, place: Path, repeat: int, budget: Budget | None
) -> Generator[Event, None, Measured]:
    if budget is not None:
        budget = replace(budget, documents=_models(on) * len(held_out))
    part = _part(on, budget, len(held_out), 1)
    seed = on.options.machine.seed + repeat - 1
    machine = replace(on.options.machine, seed=seed)
    on = replace(on, options=replace(on.options, machine=machine))
    on = yield from with_finetuned(on, place, without=held_out, budget=part)
    places = np.setdiff1d(np.arange(len(on.draw.rows)), held_out)
    bundle = yield from learned(on, places, place, seed=seed, budget=budget)
    done = measured(on, bundle, held_out)
    settle(place, bundle, done)
    return done


def _models(on: Bench) -> int:
    return len(directions(on.options.direction, on.lm.directions))


def _part(on: Bench, budget: Budget | None, held_out: int, classifiers: int) -> Budget | None:
    """The language model's part of a budget; None where it is not fine-tuned.

    Args:
        on: the bench.
        budget: of the language model and the classifiers.
        held_out: rows that each classifier is measured on.
        classifiers: that are trained on one language model.
    """
    if budget is None or not on.options.finetune:
        return None
    rows, (_, texts) = len(on.draw.rows) - held_out, sample(on.draw, on.options.data)
    models, layers = classifiers * _models(on), on.lm.architecture.layers
    budget = replace(budget, documents=models * held_out)
    return language_models_part(budget, texts, rows, on.preset, models, layers)


def _line(options: CrossValidationOptions, repeat: int, fold: int, done: Measured) -> str:
    which = f"fold {fold} of {options.folds}"
    if options.repeats > 1:
        which = f"repeat {repeat} of {options.repeats}, {which}"
    return f"{which}: {sentences.tested(done.figures['kind'], done.figures)}"


def _result(
    on: Bench, options: CrossValidationOptions, deals: list[Deal], found: list[Measured]
) -> CrossValidated:
    rows = len(on.draw.rows)
    held_out = rows / options.folds
    each = [
        {"repeat": repeat, "fold": fold, "train_rows": rows - len(places), **done.figures}
        for (repeat, fold, places), done in zip(deals, found, strict=True)
    ]
    columns = [numbers(done.figures) for done in found]
    shared = [name for name in columns[0] if all(name in column for column in columns)]
    summary = {
        name: resampled(
            [column[name] for column in columns],
            rows - held_out,
            held_out,
            (0.0, 1.0) if name in SHARES else None,
        )
        for name in shared
    }
    seen = PER_FOLD if options.lm_per_fold else SHARED
    return CrossValidated(
        on.draw.kind,
        rows,
        options.folds,
        options.repeats,
        seen if options.train.finetune else GIVEN,
        each,
        summary,
        options.predictions,
    )


def _write(on: Bench, deals: list[Deal], found: list[Measured], out: Path) -> None:
    """The first repeat's answers, in the order of the rows."""
    first = [(fold, places, d) for (r, fold, places), d in zip(deals, found, strict=True) if r == 1]
    owner: NDArray[np.int64] = np.empty(len(on.draw.rows), np.int64)
    for number, (_, places, _) in enumerate(first):
        owner[places] = number
    targets = [TargetConfig(**done.target) for _, _, done in first]
    streams = [
        answers(done.logits, on.draw.names, target, target.abstain_below or 0.0)
        for (_, _, done), target in zip(first, targets, strict=True)
    ]
    columns = list(dict.fromkeys(name for fields in _fields(on) for name in fields))
    name = "fold" if "fold" not in columns else "fold_held_out"
    writer = PredictionWriter(
        out,
        on.draw.names,
        label="value" if on.draw.kind == "real" else "label",
        separator=on.draw.separator,
        abstains=any(target.abstain_below for target in targets),
        columns=[*columns, name],
    )
    with writer:
        for place, fields in enumerate(_fields(on)):
            answer = next(streams[owner[place]])
            rows = () if answer.probabilities is None else answer.probabilities.tolist()
            writer.write({**fields, name: first[owner[place]][0]}, answer.label, rows)


def _fields(on: Bench) -> Iterator[Mapping[str, object]]:
    """The columns of each labelled row that was used."""
    return (row.fields for row in on.draw.read(on.options.data))
