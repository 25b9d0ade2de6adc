"""Texts and numbers in memory -> a fitted bundle: the pipeline's road without the files."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ulmfit.budget import Budget
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.estimator import randomness, recording
from ulmfit.estimator.examples import Examples
from ulmfit.estimator.memory import Memory, content_key, memory_of
from ulmfit.estimator.progress import finished
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.afterwards import sampled
from ulmfit.pipeline.classifiers import (
    chosen_preset,
    classifier_on,
    language_model_of,
    tuned_on,
    unused_settings,
)
from ulmfit.pipeline.options import TrainOptions, directions
from ulmfit.pipeline.record import copy_logs
from ulmfit.pipeline.shares import LANGUAGE_MODEL_SHARE, language_models_part
from ulmfit.presets import Preset
from ulmfit.targets.checks import check_labels


def learned(
    given: Examples, options: TrainOptions, memory: Any, verbose: int
) -> tuple[Bundle, bytes]:
    """`fitted` to its end, the caller's random numbers left as they were.

    Args:
        given: texts and labels.
        options: as of `fitted`.
        memory: as an estimator's.
        verbose: as of `progress.finished`.

    Returns:
        The classifier, and the packed record of its making.
    """
    chosen = chosen_preset(options)
    place = memory_of(memory)
    with randomness.kept(options.machine.device):
        return finished(fitted(given, options, chosen, place), verbose)


def fitted(
    given: Examples, options: TrainOptions, chosen: Preset, memory: Memory | None
) -> Generator[Event, None, tuple[Bundle, bytes]]:
    """Fine-tune the language model, or take it from the memory; then the classifier.

    Args:
        given: texts, labels and more texts.
        options: all but `data`, `out`, `unlabelled`, `test` and `labels` is used.
        chosen: the preset with the options' epochs.
        memory: where fine-tuned language models are kept; None keeps none.

    Returns:
        As `learned`.

    Raises:
        InputError: the language model, an option or the labels are wrong.
        OSError: the disk is full, and the like.
    """
    budget = Budget.of(options.time_budget)
    kind, names = given.draw.kind, given.draw.names
    options.machine.check()
    options.objective.check(kind, names)
    options.policy.check(kind)
    check_labels(given.draw.labels, names, kind)
    if given.unlabelled and not options.finetune:
        raise InputError("unlabelled: these texts are for fine-tuning, and finetune is False")
    if options.lm_epochs and not options.finetune:
        raise InputError("lm_epochs: they are of fine-tuning, and finetune is False")
    lm = language_model_of(options)
    directions(options.direction, lm.directions)
    yield from unused_settings(options)
    asked = recording.asked(options, given.draw, lm.architecture.layer_sizes())
    with tempfile.TemporaryDirectory(prefix="ulmfit-") as name:
        folder = Path(name)
        if options.finetune:
            part = None if budget is None else _part(budget, given, options, chosen, memory, lm)
            lm = yield from _tuned(lm, given, options, chosen, memory, folder, part)
        bundle = yield from classifier_on(
            lm, given.texts, given.draw, options, chosen, folder, budget
        )
        return bundle, recording.packed(asked, folder, bundle)


def _part(
    budget: Budget,
    given: Examples,
    options: TrainOptions,
    chosen: Preset,
    memory: Memory | None,
    lm: Bundle,
) -> Budget:
    """The language model's part; one that is kept does not hang on the classifier's settings."""
    if memory is not None:
        return budget.part(LANGUAGE_MODEL_SHARE)
    rows, models = len(given.texts), len(directions(options.direction, lm.directions))
    texts = [given.texts[place] for place in sampled(rows)]
    return language_models_part(budget, texts, rows, chosen, models, lm.architecture.layers)


def _tuned(
    lm: Bundle,
    given: Examples,
    options: TrainOptions,
    chosen: Preset,
    memory: Memory | None,
    folder: Path,
    budget: Budget | None,
) -> Generator[Event, None, Bundle]:
    if memory is None:
        return (yield from tuned_on(lm, given.all_texts, options, chosen, folder, budget))
    settings = {
        "preset": replace(chosen, classifier=None),  # type: ignore[arg-type]
        "directions": directions(options.direction, lm.directions),
        "machine": replace(options.machine, workers=0),
        "time_budget": options.time_budget,
    }
    key = content_key(lm, given.all_texts(), settings)
    if kept := memory.get(key):
        copy_logs(memory.folder / key, folder)
        yield Note(f"the fine-tuned language model is taken from {memory.folder / key}")
        return kept
    tuned = yield from tuned_on(lm, given.all_texts, options, chosen, folder, budget)
    memory.keep(key, tuned, folder)
    return tuned
