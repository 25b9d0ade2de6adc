"""Trying settings one after another on rows that were held out, and keeping the best."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from ulmfit.budget import Budget
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.held_out import (
    LOWER_IS_BETTER,
    MAIN,
    METRICS,
    Bench,
    bench,
    learned,
    measured,
    numbers,
    told_of,
    with_finetuned,
)
from ulmfit.pipeline.kept_folds import KEPT, STEPS, Measured, settle, tidy, work_told
from ulmfit.pipeline.options import directions
from ulmfit.pipeline.work import opened_work, request
from ulmfit.presets import Preset
from ulmfit.settings import with_settings
from ulmfit.targets.folds import stratified_folds
from ulmfit.targets.kinds import Rows
from ulmfit.tuning.outcome import Trial, Tuned, TuneOptions, best_of, merged
from ulmfit.tuning.space import Found, classifier_space, language_model_space, settings_of
from ulmfit.tuning.study import Study, optuna
from ulmfit.tuning.timing import OutOfTime, TimeLeft, quietly

ASKED = ("folds", "metric", "tune_lm")  # options that make another search
BEST, RESULT = "best.json", "tuning.json"
PARTS = 5  # one of them is held out where folds are not asked for
LANGUAGE_MODEL_SHARE = 0.3  # of a time budget's rest: the trials are what it is for


def tune(options: TuneOptions, *, overwrite: bool = False) -> Generator[Event, None, Tuned]:
    """Search for settings, the preset's own first; the best are kept in the folder.

    The same call again goes on where one was stopped, and adds trials where more are asked for.

    Raises:
        InputError: the extra is not installed; the data, the language model or an option is
            wrong; or the time budget does not pay for one trial.
        OSError: the disk is full, and the like; what was done stays in the folder.
    """
    left, budget = TimeLeft(options.train.time_budget), Budget.of(options.train.time_budget)
    optuna()
    on = bench(options.train)
    search = _Search(on, options, left)
    search.begin_records()
    own = {name: getattr(options, name) for name in ASKED}
    asked, inputs = request("tune", options.train, own), search.on.run["inputs"]
    with opened_work(search.folder, asked, inputs, overwrite=overwrite):
        return (yield from _tuned(search, budget))


def _tuned(search: _Search, budget: Budget | None) -> Generator[Event, None, Tuned]:
    search.on.draw.keep(search.folder)
    yield from told_of(search.on)
    yield from search.prepare(budget)
    study = search.study()
    while len(trials := search.trials(study)) < search.options.trials:
        try:
            yield from search.one(study, trials)
        except OutOfTime as short:
            if not trials:
                raise InputError(str(short)) from None
            yield Note(str(short))
            break
    return search.result(trials)


class _Search:
    """What all trials share."""

    def __init__(self, on: Bench, options: TuneOptions, left: TimeLeft) -> None:
        self.on = on
        self.options = options
        self.folder = Path(options.train.out)
        self.metric = _metric(on, options)
        self.held_out = _held_out(on, options)
        self._left = left
        on.preset.classifier.check_peak()
        self._directions = len(directions(options.train.direction, on.lm.directions))
        if options.trials < 1:
            raise InputError(f"{options.trials} trials: at least 1 is needed")
        if options.tune_lm and not options.train.finetune:
            raise InputError("--tune-lm searches how to fine-tune, which --no-finetune leaves out")

    def begin_records(self) -> None:
        """Note what the records of the trials begin with."""
        own = {name: getattr(self.options, name) for name in ("trials", *ASKED)}
        self.on = replace(self.on, run=work_told("tune", self.options.train, own))

    def prepare(self, budget: Budget | None) -> Generator[Event, None, None]:
        """Fine-tune the language model once, unless each trial does."""
        if not self.options.tune_lm:
            part = None if budget is None else budget.part(LANGUAGE_MODEL_SHARE)
            self.on = yield from with_finetuned(self.on, self.folder, budget=part)

    def study(self) -> Study:
        """The record of the trials."""
        space = classifier_space(self.on.preset.classifier)
        if self.options.tune_lm:
            space |= language_model_space(self.on.preset.language_model)
        maximize = self.metric not in LOWER_IS_BETTER
        return Study(self.folder, space, maximize=maximize, seed=self.on.options.machine.seed)

    def trials(self, study: Study) -> list[Trial]:
        """Those that are over."""
        return [
            Trial(
                number,
                dict(each.params),
                each.value,
                each.user_attrs.get("figures", {}),
                each.user_attrs.get("seconds", 0.0),
                each.user_attrs.get("broken", ""),
            )
            for number, each in enumerate(study.ended())
        ]

    def one(self, study: Study, before: list[Trial]) -> Generator[Event, None, None]:
        """The next trial."""
        began = time.monotonic()
        number, found = study.ask()
        settings = settings_of(self.on.preset, found)
        chosen = with_settings(self.on.preset, settings)
        folder = self.folder / f"trial-{number}"
        on = replace(self.on, run={**self.on.run, "trial": number, "settings": settings})
        try:
            done = yield from self._measured(on, folder, chosen)
            figures, broken = _means(done), ""
        except InputError as error:
            for _ in self.on.draw.texts(self.on.options.data):  # raises where they have changed
                pass
            figures, broken = {}, str(error)  # the rows are as they were: these values broke it
        value = figures.get(self.metric, float("nan"))
        spent = time.monotonic() - began
        study.tell(value, figures=figures, seconds=spent, broken=broken)
        tidy(folder, {*KEPT, STEPS})
        yield Note(self._line(len(before), value, found, broken))

    def _measured(
        self, on: Bench, folder: Path, chosen: Preset
    ) -> Generator[Event, None, list[Measured]]:
        found = []
        for fold, held_out in enumerate(self.held_out):
            place = folder / str(fold + 1)
            done = Measured.load(place)
            if done is None:
                runs = (len(self.held_out) - fold) * self._directions
                events = self._fold(on, place, held_out, chosen)
                done = yield from quietly(events, self._left, runs)
            tidy(place)
            found.append(done)
        return found

    def _fold(
        self, on: Bench, place: Path, held_out: Rows, chosen: Preset
    ) -> Generator[Event, None, Measured]:
        if self.options.tune_lm:
            lm_folder = place.parent  # one for all folds: it sees no label
            on = yield from with_finetuned(on, lm_folder, chosen=chosen)
        on = replace(on, run={**on.run, "fold": int(place.name)})
        places = np.setdiff1d(np.arange(len(on.draw.rows)), held_out)
        seed = on.options.machine.seed
        bundle = yield from learned(on, places, place, seed=seed, chosen=chosen)
        done = measured(on, bundle, held_out)
        settle(place, bundle, done)
        return done

    def _line(self, number: int, value: float, found: Found, broken: str) -> str:
        name = "the preset" if number == 0 else f"trial {number + 1} of {self.options.trials}"
        values = ", ".join(f"{key} {each:.3g}" for key, each in found.items())
        return f"{name}: {broken or f'{self.metric} {value:.4f}'} ({values})"

    def result(self, trials: list[Trial]) -> Tuned:
        """The best of the trials, kept."""
        best = best_of(trials, self.metric)
        settings = settings_of(self.on.preset, best.found)
        path = self.folder / BEST
        base = self.options.train.settings or {}
        settings = merged(base, settings)
        write_atomically(path, (json.dumps(settings, indent=2) + "\n").encode())
        rows = sum(len(places) for places in self.held_out)
        folds = self.options.folds
        told = f"{rows} of {len(self.on.draw.rows)} rows" + f", {folds} folds" * (folds > 1)
        shared = self.options.train.finetune and not self.options.tune_lm
        lm = str(self.folder / "language-model") if shared else None
        done = Tuned(self.metric, told, trials, best.number, settings, str(path), lm)
        write_atomically(self.folder / RESULT, (json.dumps(asdict(done), indent=2) + "\n").encode())
        return done


def _metric(on: Bench, options: TuneOptions) -> str:
    kind = on.draw.kind
    metric = options.metric or MAIN[kind]
    if metric not in METRICS[kind]:
        raise InputError(f"metric {metric!r}: choose one of {', '.join(METRICS[kind])}")
    return metric


def _held_out(on: Bench, options: TuneOptions) -> list[Rows]:
    """The places that each fold is measured on; one fifth where folds are not asked for."""
    if options.folds < 1:
        raise InputError(f"{options.folds} folds: at least 1 is needed")
    draw = on.draw
    folds = options.folds if options.folds > 1 else min(PARTS, len(draw.rows))
    seed = on.options.machine.seed
    dealt = stratified_folds(draw.labels, draw.names, folds, seed, draw.kind, options.folds)
    return [np.flatnonzero(dealt == fold) for fold in range(options.folds)]


def _means(done: list[Measured]) -> dict[str, float]:
    each = [numbers(one.figures) for one in done]
    return {name: fmean(figures[name] for figures in each) for name in each[0]}
