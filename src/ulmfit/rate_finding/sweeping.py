"""A loop as training would begin it, swept once over the rates."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ulmfit.bundle import Direction
from ulmfit.corpus import prepare
from ulmfit.errors import InputError
from ulmfit.files import check_destination, write_atomically
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.finetuning import encoded_domain
from ulmfit.pipeline.held_out import Bench, bench, told_of
from ulmfit.pipeline.kept_folds import work_told
from ulmfit.pipeline.options import TrainOptions, directions
from ulmfit.pipeline.record import read, told
from ulmfit.pipeline.sessions import session
from ulmfit.pipeline.use import refuse_input_as_output
from ulmfit.presets import ClassifierSettings, LanguageModelSettings
from ulmfit.stages.classifier_loop import Labelled, classifier_loop
from ulmfit.stages.finetune import finetuning_loop
from ulmfit.training.loop import Loop, Step
from ulmfit.training.rate_finder import HIGHEST, LOWEST, STEPS, RateCurve, check_sweep
from ulmfit.training.rate_finder import find_rate as sweep

Stage = Literal["classifier", "language-model"]
STAGES: tuple[Stage, ...] = ("classifier", "language-model")
COMMAND = "find-rate"
OWN = ("stage", "phase", "lowest", "highest", "steps")  # options that `train` does not have


@dataclass(frozen=True)
class RateOptions:
    """`ulmfit find-rate`."""

    train: TrainOptions
    """what would be trained; its `out` is not used"""
    stage: Stage = "classifier"
    phase: str | None = None
    """of the plan, by its name ("last 1", ..., "all"); None: the last, in which all groups learn"""
    lowest: float = LOWEST
    highest: float = HIGHEST
    steps: int = STEPS
    record: str | None = None
    """a file for what was asked, every step and the result, as a training.jsonl"""


@dataclass(frozen=True)
class FoundRate:
    """What a sweep showed."""

    stage: Stage
    direction: Direction
    curve: RateCurve
    preset_peak: float
    """what training would take without this"""
    share: float = 1.0
    """of the peak, that the fastest of the groups that learned has; the curve is of that one"""

    @property
    def settings(self) -> dict[str, Any] | None:
        """The suggestion as `ulmfit train --settings` takes it; None where there is none."""
        rate = self.curve.suggestion
        part = self.stage.replace("-", "_")
        return None if rate is None else {part: {"peak": float(f"{rate / self.share:.2g}")}}


def find_rate(options: RateOptions) -> Generator[Event, None, FoundRate]:
    """Sweep the rate of one stage, on the data and in the state in which training would begin it.

    The classifier is swept on the language model as it is given; name a fine-tuned one where
    training would fine-tune it first. Of two directions the first is swept.

    Raises:
        InputError: the data, the language model or an option is wrong, or the record would
            replace a file that is read.
        OSError: the record cannot be written.
    """
    if options.stage not in STAGES:
        raise InputError(f"stage {options.stage!r}: choose one of {', '.join(STAGES)}")
    if options.train.unlabelled and options.stage == "classifier":
        raise InputError("--unlabelled needs --stage language-model; a classifier reads none")
    on = bench(options.train)
    if options.stage == "classifier":
        on.preset.classifier.check_peak()
    if options.record is not None:
        _check_record(on, Path(options.record))
    settings: LanguageModelSettings | ClassifierSettings = on.preset.language_model
    groups = on.lm.architecture.layers + 1
    if options.stage == "classifier":
        settings, groups = on.preset.classifier, groups + 1  # the head
    check_sweep(
        *(settings.phases(groups), options.phase, options.lowest, options.highest, options.steps)
    )
    direction = directions(options.train.direction, on.lm.directions)[0]
    yield from told_of(on)
    with tempfile.TemporaryDirectory(prefix="ulmfit-") as folder:
        if options.stage == "classifier":
            loop: Loop[Any] = _classifier(on, Path(folder), direction)
        else:
            loop = yield from _language_model(on, Path(folder), direction)
        yield Note(f"sweeping the rate from {options.lowest:g} to {options.highest:g}")
        asked = None if options.record is None else _asked(on, options)
        steps: list[Step] = []
        curve = yield from _swept(loop, options, steps)
    (swept,) = [p for p in settings.phases(groups) if p.name == curve.phase][-1:]
    share = max(swept.peaks[group] for group in swept.thawed) / settings.peak
    found = FoundRate(options.stage, direction, curve, settings.peak, share)
    if options.record is not None and asked is not None:
        write_atomically(Path(options.record), _record(asked, found, steps))
    return found


def _swept(
    loop: Loop[Any], options: RateOptions, done: list[Step]
) -> Generator[Step, None, RateCurve]:
    steps = sweep(
        loop,
        phase=options.phase,
        lowest=options.lowest,
        highest=options.highest,
        steps=options.steps,
    )
    while True:
        try:
            done.append(next(steps))
        except StopIteration as end:
            curve: RateCurve = end.value
            return curve
        yield done[-1]


def _check_record(on: Bench, path: Path) -> None:
    check_destination(path)
    for source in (on.options.data, *on.unlabelled):
        refuse_input_as_output(source, path)
    if path.exists() and not _is_sweep(path):
        raise InputError(f"{path}: exists, and is no record of a sweep; choose another name")


def _is_sweep(path: Path) -> bool:
    try:
        return bool(read(path)[0].get("command") == COMMAND)
    except InputError:
        return False


def _asked(on: Bench, options: RateOptions) -> dict[str, Any]:
    """What the record begins with."""
    own = {name: getattr(options, name) for name in (*OWN, "record")}
    train = replace(options.train, finetune=True)  # the stage says what is trained
    asked = work_told(COMMAND, train, own)
    del asked["options"]["out"]  # there is none
    return {**asked, "sessions": [session(on.options.machine, on.lm.architecture.layer_sizes())]}


def _record(asked: Mapping[str, Any], found: FoundRate, steps: list[Step]) -> bytes:
    curve = found.curve
    figures = {
        "suggestion": curve.suggestion,
        "lowest_loss_at": curve.lowest,
        "steepest_at": curve.steepest,
        "preset_peak": found.preset_peak,
    }
    stage = "classifier" if found.stage == "classifier" else "finetune"
    place = {"stage": stage, "direction": found.direction}
    return told(asked, ({"record": "Step", **asdict(step), **place} for step in steps), figures)


def _classifier(on: Bench, folder: Path, direction: Direction) -> Loop[Any]:
    options, draw = on.options, on.draw
    corpus = prepare(
        draw.texts(options.data), on.lm.encoder, folder / "labelled", options.machine.processes
    )
    documents = np.split(corpus.ids.astype(np.int64), corpus.offsets[1:-1])
    return classifier_loop(
        on.lm,
        Labelled(documents, draw.labels, draw.weights),
        draw.names,
        on.preset.classifier,
        direction=direction,
        seed=options.machine.seed,
        hardware=options.machine.hardware,
        kind=draw.kind,
        objective=options.objective,
    )


def _language_model(
    on: Bench, folder: Path, direction: Direction
) -> Generator[Event, None, Loop[Any]]:
    machine = on.options.machine

    def texts() -> Iterator[str]:
        yield from on.options.data.texts()
        for source in on.unlabelled:
            yield from source.texts(lambda message: None)

    encoder, corpus = yield from encoded_domain(
        on.lm, lambda: distinct(texts()), on.preset, folder, machine
    )
    return finetuning_loop(
        on.lm,
        corpus,
        encoder,
        on.preset.language_model,
        direction=direction,
        seed=machine.seed,
        hardware=machine.hardware,
    )
