"""Files -> a classifier's bundle: `ulmfit train`, the whole road."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ulmfit import bundle as bundles
from ulmfit.budget import Budget
from ulmfit.bundle import Bundle
from ulmfit.corpus import prepare
from ulmfit.errors import InputError
from ulmfit.pipeline.afterwards import Afterwards, sample
from ulmfit.pipeline.cards import classifier_card
from ulmfit.pipeline.drawing import Draw, draw_labels
from ulmfit.pipeline.encoding import TextSource
from ulmfit.pipeline.finetuning import finetune_on, with_epochs
from ulmfit.pipeline.options import FinetuneOptions, Source, TrainOptions, directions
from ulmfit.pipeline.passes import told
from ulmfit.pipeline.pseudo_labels import EPOCHS, Teacher, pseudo_labelled, teacher_of
from ulmfit.pipeline.runs import Event, Note, opened, remaining
from ulmfit.pipeline.sessions import computing
from ulmfit.pipeline.shares import language_models_part
from ulmfit.pipeline.test_rows import measured, test_source
from ulmfit.pipeline.unlabelled import unlabelled_sources
from ulmfit.presets import Preset, preset
from ulmfit.pretrained import begun_with, open_pretrained
from ulmfit.settings import check_depth, with_settings
from ulmfit.stages.classify import Labelled, classify

FINETUNED = "language-model"
KEPT = ("labels", "finetune", "direction", "settings")  # options told in the model's provenance
KEPT_IF_CHOSEN = (
    *("order", "class_weights", "loss", "focal_gamma", "label_smoothing"),
    *("calibrate", "abstain_below", "coverage", "align"),
)


def train(
    options: TrainOptions,
    *,
    overwrite: bool = False,
    resuming: bool = False,
    report_rows: int = 0,
) -> Generator[Event, None, Bundle]:
    """Fine-tune the language model on all texts, then a classifier; save at `options.out`.

    Args:
        options: what is asked for.
        overwrite: replace a model or an unfinished run.
        resuming: go on with an unfinished run.
        report_rows: of each set, that a report will answer; a time budget keeps time for it.

    Raises:
        InputError: the data, the language model or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    budget = Budget.of(options.time_budget)
    chosen = chosen_preset(options)
    options.machine.check()
    options = replace(options, lm=options.language_model)  # a run that goes on elsewhere keeps it
    options.data.check(need_label=True)
    unlabelled = unlabelled_sources(options)
    skipped: list[str] = []
    draw = _draw(options, skipped)
    teacher = teacher_of(options, draw, unlabelled)
    test, test_rows = test_source(options, draw, skipped)
    lm = language_model_of(options)
    models = len(directions(options.direction, lm.directions))
    sizes = lm.architecture.layer_sizes()
    with opened("train", options, sizes, overwrite=overwrite, resuming=resuming) as folder:
        draw.keep(folder)
        yield from told(skipped)
        yield Note(draw.told())
        yield Note(computing(options.machine, sizes))
        yield Note(begun_with(options.language_model))
        yield from unused_settings(options)
        budget = remaining(budget, folder)
        if budget is not None:
            budget = Afterwards(test_rows, report_rows).kept(budget, draw, options.data, models)
        part = None
        if budget is not None and options.finetune:
            part = _part(budget, options, draw, chosen, teacher, models, lm.architecture.layers)
        lm = yield from _language_model(lm, options, unlabelled, chosen, folder, part)
        pseudo = None
        if teacher is not None:
            place = folder / "pseudo-labelled"
            pseudo = yield from pseudo_labelled(teacher, options, draw, lm.encoder, place)
        if budget is not None and not budget.left():
            yield Note(_late(options.time_budget))
        texts = draw.texts(options.data)
        bundle = yield from classifier_on(lm, texts, draw, options, chosen, folder, budget, pseudo)
        if teacher is not None:
            bundle = replace(bundle, provenance=bundle.provenance | _taught_by(teacher))
        if test:
            bundle = yield from measured(bundle, test, options)
        bundles.save(bundle, Path(options.out), classifier_card(bundle))
    return bundle


def language_model_of(options: TrainOptions) -> Bundle:
    """What the classifier begins with.

    Raises:
        InputError: there is no such language model, or `ratios` of one's own do not fit it.
    """
    lm = open_pretrained(options.language_model)
    if options.finetune:
        check_depth(options.settings, lm.architecture.layers)
    return lm


def unused_settings(options: TrainOptions) -> Iterator[Note]:
    """Tell those settings of one's own that only fine-tuning the language model reads."""
    settings, own = options.settings or {}, ("max_vocabulary", "min_count", "keep_vocabulary")
    unused = ["of the language model"] * ("language_model" in settings)
    unused += [name for name in own if name in settings]
    if unused and not options.finetune:
        told = " and ".join(unused)
        yield Note(f"the language model is not fine-tuned: the settings {told} are not used")


def _draw(options: TrainOptions, skipped: list[str]) -> Draw:
    """The labelled rows; what is asked of them makes sense."""
    options.policy.check(options.task or "single")
    draw = draw_labels(
        options.data,
        options.labels,
        options.machine.seed,
        skipped.append,
        kind=options.task,
        order=options.order,
    )
    options.objective.check(draw.kind, draw.names)
    return draw


def _late(minutes: float | None) -> str:
    told = f"--time-budget {minutes:g}: the time is over before the classifier is begun"
    return f"{told}, which is trained for one batch an epoch; a larger budget trains it well"


def chosen_preset(options: TrainOptions) -> Preset:
    """The preset with the options' own values over it.

    Raises:
        InputError: no such preset, or a value that is none.
    """
    chosen = preset(options.preset)
    if options.teacher is not None:
        epochs = min(EPOCHS, chosen.classifier.epochs)
        chosen = replace(chosen, classifier=replace(chosen.classifier, epochs=epochs))
    chosen = with_settings(chosen, options.settings or {})
    chosen = with_epochs(chosen, options.lm_epochs)
    if options.epochs is None:
        return chosen
    if options.epochs < 1:
        raise InputError(f"{options.epochs} epochs: at least 1 is needed")
    classifier = replace(chosen.classifier, epochs=options.epochs, min_steps=0)
    return replace(chosen, classifier=classifier)


def _language_model(
    lm: Bundle,
    options: TrainOptions,
    unlabelled: list[Source],
    chosen: Preset,
    folder: Path,
    budget: Budget | None,
) -> Generator[Event, None, Bundle]:
    """The language model to build on: fine-tuned on all texts unless told not to."""
    if not options.finetune:
        return lm
    skipped: list[str] = []

    def texts() -> Iterator[str]:
        skipped.clear()  # each pass meets the same rows
        yield from options.data.texts()
        for source in unlabelled:
            yield from source.texts(skipped.append)

    tuned = yield from tuned_on(lm, texts, options, chosen, folder, budget)
    yield from told(skipped)
    return tuned


def tuned_on(
    lm: Bundle,
    texts: TextSource,
    options: TrainOptions,
    chosen: Preset,
    folder: Path,
    budget: Budget | None = None,
) -> Generator[Event, None, Bundle]:
    """The language model fine-tuned on texts, kept in `folder`; that of an earlier call if any.

    Args:
        lm: a language model.
        texts: gives all texts, each time anew.
        options: of the call; `data` and `time_budget` are not read.
        chosen: the preset.
        folder: the run's.
        budget: of it; None for no limit.
    """
    saved = folder / FINETUNED
    if saved.exists():
        return bundles.load(saved)
    how = FinetuneOptions(options.language_model, options.data, str(saved), options.machine)
    wanted = directions(options.direction, lm.directions)
    tuned = yield from finetune_on(lm, texts, chosen, folder / "finetune", how, wanted, budget)
    bundles.save(tuned, saved, "")
    return tuned


def classifier_on(
    lm: Bundle,
    texts: Iterable[str],
    draw: Draw,
    options: TrainOptions,
    chosen: Preset,
    folder: Path,
    budget: Budget | None = None,
    pseudo: Labelled | None = None,
) -> Generator[Event, None, Bundle]:
    """A classifier on the texts of a draw.

    Args:
        lm: the language model to build on.
        texts: those of the draw's rows, in their order.
        draw: their labels.
        options: of the call; `data` and `time_budget` are not read.
        chosen: the preset.
        folder: the run's.
        budget: of it; None for no limit.
        pseudo: documents that a teacher labelled.
    """
    corpus = prepare(texts, lm.encoder, folder / "labelled", options.machine.processes)
    wanted = directions(options.direction, lm.directions)
    bundle = yield from classify(
        lm,
        Labelled(corpus.each(), draw.labels, draw.weights),
        draw.names,
        chosen.classifier,
        folder / "classifier",
        directions=wanted,
        seed=options.machine.seed,
        hardware=options.machine.hardware,
        preset=chosen.name,
        budget=budget,
        kind=draw.kind,
        objective=options.objective,
        policy=options.policy,
        pseudo=pseudo,
    )
    provenance = {
        "language_model": lm.provenance,
        "labelled_rows": len(draw.rows),
        "options": _kept(options),
        "seed": options.machine.seed,
    }
    target = bundle.target.model_copy(update={"separator": draw.separator})
    return replace(bundle, provenance=provenance, target=target)


def _part(
    budget: Budget,
    options: TrainOptions,
    draw: Draw,
    chosen: Preset,
    teacher: Teacher | None,
    models: int,
    layers: int,
) -> Budget:
    """The language model's part of the budget."""
    rows, (_, texts) = len(draw.rows), sample(draw, options.data)
    taught = 0
    if teacher is not None:
        budget, taught = teacher.kept(budget), teacher.wanted
    return language_models_part(budget, texts, rows, chosen, models, layers, taught)


def _taught_by(teacher: Teacher) -> dict[str, Any]:
    """What the model's provenance tells of its teacher."""
    return {"teacher": {"config_sha256": teacher.digest, **teacher.bundle.provenance}}


def _kept(options: TrainOptions) -> dict[str, Any]:
    """The options that the model's provenance tells: some always, others where they were chosen."""
    asked, usual = asdict(options), asdict(TrainOptions(options.data, options.out))
    chosen = {k: asked[k] for k in KEPT_IF_CHOSEN if asked[k] != usual[k]}
    return {k: asked[k] for k in KEPT} | chosen
