"""Files -> a classifier's bundle: `ulmfit train`, the whole road."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.corpus import Corpus, prepare
from ulmfit.errors import InputError
from ulmfit.pipeline.cards import classifier_card
from ulmfit.pipeline.drawing import Draw, count_known, draw_labels
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.language_models import Event, finetune_on, with_epochs
from ulmfit.pipeline.options import FinetuneOptions, Source, TrainOptions, directions
from ulmfit.pipeline.passes import told
from ulmfit.pipeline.runs import Note, opened
from ulmfit.pipeline.use import evaluate
from ulmfit.presets import Preset, preset
from ulmfit.pretrained import DEFAULT, open_pretrained
from ulmfit.settings import with_settings
from ulmfit.stages.classify import Labelled, classify

LANGUAGE_MODEL_SHARE = 0.6  # of a time budget
FINETUNED = "language-model"
KEPT = ("labels", "finetune", "direction", "settings")  # options told in the model's provenance


def train(
    options: TrainOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Fine-tune the language model on all texts, then a classifier; save at `options.out`.

    Raises:
        InputError: the data, the language model or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    chosen = _preset(options)
    options.machine.check()
    options.data.check(need_label=True)
    unlabelled = _unlabelled(options)
    skipped: list[str] = []
    draw = draw_labels(options.data, options.labels, options.machine.seed, skipped.append)
    test = replace(options.data, paths=options.test) if options.test else None
    if test:
        test.check(need_label=True)
        count_known(test, draw.names, skipped.append)
    lm = open_pretrained(options.lm or DEFAULT)
    directions(options.direction, lm.directions)
    with opened("train", options, overwrite=overwrite, resuming=resuming) as folder:
        draw.keep(folder)
        yield from told(skipped)
        yield Note(draw.told())
        lm = yield from _language_model(lm, options, unlabelled, chosen, folder)
        bundle = yield from _classifier(lm, options, chosen, draw, folder)
        if test:
            yield Note("measuring on the test rows")
            figures = evaluate(bundle, test, options.machine)
            bundle = replace(bundle, metrics={**bundle.metrics, "test": figures})
        bundles.save(bundle, Path(options.out), classifier_card(bundle))
    return bundle


def _preset(options: TrainOptions) -> Preset:
    chosen = with_settings(preset(options.preset), options.settings or {})
    chosen = with_epochs(chosen, options.lm_epochs)
    if options.epochs is None:
        return chosen
    if options.epochs < 1:
        raise InputError(f"{options.epochs} epochs: at least 1 is needed")
    return replace(chosen, classifier=replace(chosen.classifier, epochs=options.epochs))


def _unlabelled(options: TrainOptions) -> list[Source]:
    """The unlabelled files, each checked."""
    if options.unlabelled and not options.finetune:
        raise InputError(
            "--unlabelled texts are for fine-tuning the language model, which --no-finetune "
            "leaves out; drop one of the two"
        )
    return [_alike(path, options.data) for path in options.unlabelled]


def _alike(path: str, data: Source) -> Source:
    """An unlabelled file, read like the data where it looks like it: else by its own columns."""
    suffixes = {Path(p).suffix for p in data.paths}
    source = replace(
        data.without_labels(),
        paths=(path,),
        format=data.format if Path(path).suffix in suffixes else None,
    )
    by_itself = replace(source, text=())
    try:
        source.check()
    except InputError:
        if source == by_itself or not _opens(by_itself):
            raise
        return by_itself
    return source


def _opens(source: Source) -> bool:
    try:
        source.check()
    except InputError:
        return False
    return True


def _language_model(
    lm: Bundle, options: TrainOptions, unlabelled: list[Source], chosen: Preset, folder: Path
) -> Generator[Event, None, Bundle]:
    """The language model to build on: fine-tuned on all texts unless told not to."""
    if not options.finetune:
        return lm
    saved = folder / FINETUNED
    if saved.exists():
        return bundles.load(saved)

    skipped: list[str] = []

    def texts() -> Iterator[str]:
        skipped.clear()  # each pass meets the same rows
        yield from options.data.texts()
        for source in unlabelled:
            yield from source.texts(skipped.append)

    how = FinetuneOptions(options.lm or DEFAULT, options.data, str(saved), options.machine)
    wanted = directions(options.direction, lm.directions)
    budget = _budget(options, LANGUAGE_MODEL_SHARE)
    tuned = yield from finetune_on(
        lm, lambda: distinct(texts()), chosen, folder / "finetune", how, wanted, budget
    )
    yield from told(skipped)
    bundles.save(tuned, saved, "")
    return tuned


def _budget(options: TrainOptions, share: float) -> float | None:
    return None if options.time_budget is None else options.time_budget * 60 * share


def _classifier(
    lm: Bundle, options: TrainOptions, chosen: Preset, draw: Draw, folder: Path
) -> Generator[Event, None, Bundle]:
    corpus = prepare(
        draw.texts(options.data),
        lm.encoder,
        folder / "labelled",
        options.machine.processes,
    )
    wanted = directions(options.direction, lm.directions)
    share = 1 - LANGUAGE_MODEL_SHARE if options.finetune else 1.0
    budget = _budget(options, share)
    bundle = yield from classify(
        lm,
        Labelled(_documents(corpus), draw.labels),
        draw.names,
        chosen.classifier,
        folder / "classifier",
        directions=wanted,
        seed=options.machine.seed,
        hardware=options.machine.hardware,
        preset=chosen.name,
        budget=budget / len(wanted) if budget else None,
    )
    provenance = {
        "language_model": lm.provenance,
        "labelled_rows": len(draw.rows),
        "options": {k: v for k, v in asdict(options).items() if k in KEPT},
        "seed": options.machine.seed,
    }
    return replace(bundle, provenance=provenance)


def _documents(corpus: Corpus) -> list[NDArray[np.int64]]:
    return np.split(corpus.ids.astype(np.int64), corpus.offsets[1:-1])
