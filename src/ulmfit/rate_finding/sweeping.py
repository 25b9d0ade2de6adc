"""A loop as training would begin it, swept once over the rates."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ulmfit.bundle import Direction
from ulmfit.corpus import prepare
from ulmfit.errors import InputError
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.held_out import Bench, bench, told_of
from ulmfit.pipeline.language_models import encoded_domain
from ulmfit.pipeline.options import TrainOptions, directions
from ulmfit.presets import ClassifierSettings, LanguageModelSettings
from ulmfit.stages.classifier_loop import Labelled, classifier_loop
from ulmfit.stages.finetune import finetuning_loop
from ulmfit.training.loop import Loop, Step
from ulmfit.training.rate_finder import HIGHEST, LOWEST, STEPS, RateCurve, check_sweep
from ulmfit.training.rate_finder import find_rate as sweep

Stage = Literal["classifier", "language-model"]
STAGES: tuple[Stage, ...] = ("classifier", "language-model")


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


@dataclass(frozen=True)
class FoundRate:
    """What a sweep showed."""

    stage: Stage
    direction: Direction
    curve: RateCurve
    preset_peak: float
    """what training would take without this"""

    @property
    def settings(self) -> dict[str, Any] | None:
        """The suggestion as `ulmfit train --settings` takes it; None where there is none."""
        peak = self.curve.suggestion
        part = self.stage.replace("-", "_")
        return None if peak is None else {part: {"peak": float(f"{peak:.2g}")}}


def find_rate(options: RateOptions) -> Generator[Event, None, FoundRate]:
    """Sweep the rate of one stage, on the data and in the state in which training would begin it.

    The classifier is swept on the language model as it is given; name a fine-tuned one where
    training would fine-tune it first. Of two directions the first is swept.

    Raises:
        InputError: the data, the language model or an option is wrong.
    """
    if options.stage not in STAGES:
        raise InputError(f"stage {options.stage!r}: choose one of {', '.join(STAGES)}")
    on = bench(options.train)
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
        curve = yield from _swept(loop, options)
    return FoundRate(options.stage, direction, curve, settings.peak)


def _swept(loop: Loop[Any], options: RateOptions) -> Generator[Step, None, RateCurve]:
    return (
        yield from sweep(
            loop,
            phase=options.phase,
            lowest=options.lowest,
            highest=options.highest,
            steps=options.steps,
        )
    )


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
