"""A model's folder and data -> all that the report tells."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ulmfit import bundle as bundles
from ulmfit.baseline import MOST_TEXTS, Baseline, fit_baseline
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.evaluating import labelled_source
from ulmfit.pipeline.inputs import Input, described
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.pipeline.record import FILE, FIT
from ulmfit.pipeline.runs import Note, Texts, options_of
from ulmfit.predict import Predictor
from ulmfit.remote import PREFIX, is_remote, local_folder
from ulmfit.report.answers import Answered, ask, judged
from ulmfit.report.beside import Beside, beside
from ulmfit.report.doubts import Doubt, doubts
from ulmfit.report.duplicates import shared
from ulmfit.report.history import Record, Stage, read_record, stages_of_metrics
from ulmfit.report.lengths import Lengths, lengths
from ulmfit.report.mistakes import Mistake, mistakes
from ulmfit.report.parts import Part, read_part
from ulmfit.stages.classify import VALID_FRACTION, stratified_split
from ulmfit.targets.decisions import choose_thresholds
from ulmfit.targets.encoding import Coding

ROWS = 2_000  # of a set, answered for the curves and lists: within 2 points of all of them
Event = Texts | Note


@dataclass
class Findings:
    """Everything that the page is written from; what could not be had is None or empty."""

    name: str
    """of the model's folder"""
    bundle: Bundle
    record: Record | None = None
    stages: list[Stage] = field(default_factory=list)
    changed: list[tuple[Input, str]] = field(default_factory=list)
    """inputs of the training that are not as they were, each with what became of it"""
    lacks: list[str] = field(default_factory=list)
    """sentences on what is not told, and why"""
    train: Part | None = None
    """the rows that the weights were learned from"""
    valid: Part | None = None
    """the rows that chose the best epoch"""
    measured: Answered | None = None
    """on the rows that the figures are about"""
    figures: dict[str, Any] | None = None
    """of the whole test set, where that is known; else of the rows in `measured`"""
    figures_of: str = ""
    """the name of the set that they are about"""
    baseline: Answered | None = None
    """the same rows as `measured`"""
    baseline_learned: int = 0
    """texts"""
    baseline_strength: float = 1.0
    baseline_folded: bool = True
    """cross-validation has chosen its strength (and thresholds): there were enough rows"""
    beside: Beside | None = None
    """the model and the baseline"""
    seen: int = 0
    """texts of `measured` that stand in the training data too"""
    weighted: bool = False
    """the model learned with weights of rows or classes, which the baseline does not know"""
    mistakes: list[Mistake] = field(default_factory=list)
    doubts: list[Doubt] | None = None
    lengths: list[Lengths] = field(default_factory=list)


def examine(
    model: str | Path, data: Source | None, machine: Machine, rows: int = ROWS
) -> Generator[Event, None, Findings]:
    """Look at a model and at the data that it was made from and measured on.

    Args:
        model: its folder, or `hf://user/name`.
        data: labelled rows to measure on; None takes the training's test rows, or, where it had
            none, its validation rows.
        machine: where to compute.
        rows: of each set, how many are answered at most; more are drawn from.

    Raises:
        InputError: there is no whole model, its record is broken, or the data cannot be used.
    """
    folder = local_folder(model)
    bundle = bundles.load(folder)
    if data is not None:
        bundle.require("classifier")
        data.check(need_label=True)
    name = str(model).removeprefix(PREFIX) if is_remote(model) else folder.absolute().name
    found = Findings(name, bundle, read_record(folder))
    found.stages = found.record.stages if found.record else stages_of_metrics(bundle)
    if found.record is None:
        found.lacks.append(
            f"There is no {FILE} in the model's folder: the steps, the rates, the command and the "
            "data that the model was made from are not known. Curves come from metrics.json."
        )
    if bundle.kind == "classifier":
        yield from _examine_classifier(found, data, machine, rows)
    return found


def _examine_classifier(
    found: Findings, data: Source | None, machine: Machine, rows: int
) -> Generator[Event, None, None]:
    options = _options(found)
    seed = options.machine.seed if options else 0
    found.weighted = options is not None and bool(
        options.class_weights or options.data.sample_weight
    )
    whole = _training_parts(found, options, seed)
    part = _measured_part(found, data, options, rows, seed)
    predictor = Predictor(found.bundle, machine.device, machine.precision)
    answered = []
    if found.valid is not None:
        answered.append((yield from ask(predictor, found.valid.sample(rows, seed))))
    if part is not None:
        answered.append((yield from ask(predictor, part)))
    if answered:
        found.measured = answered[-1]
        found.mistakes = yield from mistakes(found.measured, predictor)
    found.figures, found.figures_of = _figures(found, data)
    if found.train is not None and whole is not None:
        yield from _examine_data(found, answered, whole, part, predictor, seed)


def _examine_data(
    found: Findings,
    answered: list[Answered],
    whole: Part,
    part: Part | None,
    predictor: Predictor,
    seed: int,
) -> Generator[Event, None, None]:
    """What the training rows tell: the baseline, doubtful labels, lengths."""
    assert found.train is not None and found.measured is not None
    every = [found.train, *([found.valid] if part is None and found.valid else []), part]
    found.lengths = [lengths(p, found.bundle.encoder, seed) for p in every if p is not None]
    measured = found.measured.part
    known = [] if part is None else [pair.row for pair in shared(measured, whole)]
    new = ~np.isin(measured.rows, known)
    found.seen = int((~new).sum())
    if not new.any():
        found.lacks.append(
            "Every row that was measured stands in the training data: the figures say what the "
            "model remembers, not what it would answer to new texts. So there is no baseline, "
            "and no label is doubted."
        )
        return
    learned = found.train if part is None else whole  # never the rows that it is measured on
    yield Note("learning the baseline: TF-IDF and a linear model")
    baseline = None
    try:
        baseline = fit_baseline(
            learned.texts, learned.labels, len(learned.coding.names), learned.coding.kind, seed
        )
    except InputError as error:
        found.lacks.append(f"There is no baseline: {error}.")
    if baseline is not None:
        thresholds = thresholds_of(baseline, learned)
        found.baseline = judged(measured, baseline.answers(measured.texts), thresholds)
        found.beside = beside(found.measured, found.baseline)
        found.baseline_learned, found.baseline_strength = baseline.learned, baseline.strength
        found.baseline_folded = len(baseline.folded) > 0
    if learned.coding.kind in ("single", "ordinal"):
        unseen = answered if part is None else [found.measured.only(new)]  # by both
        found.doubts = yield from doubts(unseen, learned, baseline, predictor)
    elif learned.coding.kind == "multi":
        found.lacks.append("Wrong labels are looked for where a text has one label, not here.")


def thresholds_of(baseline: Baseline, learned: Part) -> tuple[float, ...]:
    """Of several labels, those that the baseline chooses, out of fold on what it learns from."""
    if learned.coding.kind != "multi" or not len(baseline.folded):
        return ()
    return choose_thresholds(baseline.out_of_fold, learned.labels[baseline.folded])


def _options(found: Findings) -> TrainOptions | None:
    """What the training was asked for, where its record tells."""
    if found.record is None:
        return None
    if found.record.run.get("command") == FIT:
        found.lacks.append(
            "The model was fitted from Python: its texts are not kept, so there is no baseline "
            "and nothing on the training data. `ulmfit report MODEL DATA` measures on a file."
        )
    if found.record.run.get("command") != "train":
        return None
    try:
        options = options_of("train", found.record.run["options"])
    except (KeyError, TypeError, ValueError) as error:
        found.lacks.append(
            f"The options in {FILE} are not those of this version of ulmfit ({error}): the "
            "training data is not looked at."
        )
        return None
    assert isinstance(options, TrainOptions)
    return options


def _training_parts(found: Findings, options: TrainOptions | None, seed: int) -> Part | None:
    """Draw and split the training data again as the training did; None where it is not there."""
    if options is None or not _as_they_were(found, options, "data"):
        return None
    draw = draw_labels(
        options.data,
        options.labels,
        seed,
        lambda bad: None,
        kind=options.task,
        order=options.order,
    )
    if (draw.names, draw.kind) != (found.bundle.labels, found.bundle.target.kind):
        found.lacks.append("The labels of the training data are not those of the model.")
        return None
    # With their weights: a row whose weight is bad was no row there, and rows go by number.
    source = replace(
        labelled_source(options.data, found.bundle.target),
        sample_weight=options.data.sample_weight,
    )
    wanted = set(draw.rows.tolist())
    coding = Coding(draw.kind, draw.names)
    whole = read_part("labelled", source, coding, MOST_TEXTS, seed, wanted)
    train, valid = stratified_split(draw.labels, draw.names, VALID_FRACTION, seed, draw.kind)
    found.train, found.valid = whole.take("training", train), whole.take("validation", valid)
    return whole


def _measured_part(
    found: Findings, data: Source | None, options: TrainOptions | None, rows: int, seed: int
) -> Part | None:
    """The rows to measure on, where they are not the validation rows."""
    coding = Coding(found.bundle.target.kind, found.bundle.labels)
    if data is not None:
        name = ", ".join(Path(path).name for path in data.paths)
        return read_part(name, labelled_source(data, found.bundle.target), coding, rows, seed)
    if options is None or not options.test or not _as_they_were(found, options, "test"):
        return None
    test = replace(options.data, paths=options.test)
    return read_part("test", labelled_source(test, found.bundle.target), coding, rows, seed)


def _as_they_were(found: Findings, options: TrainOptions, role: str) -> bool:
    """Whether the inputs of a role are there, and have the bytes that they had."""
    assert found.record is not None
    changed = [
        (told, became)
        for told in found.record.run.get("inputs", [])
        if told["role"] == role and (became := _became(told, options.data.format))
    ]
    found.changed += changed
    for told, became in changed:
        what = "training data" if told["role"] == "data" else "test data"
        found.lacks.append(
            f"The {what} {told['path']} {became}: nothing here is computed from it. Put it back "
            "as it was and run `ulmfit report` again."
        )
    return not changed


def _became(told: Input, format: str | None) -> str | None:
    """What became of an input; None where it is as it was."""
    path = Path(told["path"])
    if not path.exists():
        return "is not there any more"
    try:
        now = described(told["role"], path, format)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if now["sha256"] == told["sha256"] else "is not what it was when the model was made"


def _figures(found: Findings, data: Source | None) -> tuple[dict[str, Any] | None, str]:
    """The figures to lead with, and the set that they are of.

    Those of all test rows, as the training measured them, go before those of a sample of them and
    before those of the rows that chose the best epoch.
    """
    kept: dict[str, Any] = found.bundle.metrics.get("test") or {}
    if found.measured is None:
        return (kept, "test") if kept else (None, "")
    mine, name = found.measured.figures, found.measured.part.name
    if data is None and kept and (name != "test" or kept["n"] > mine["n"]):
        return kept, "test"
    return mine, name
