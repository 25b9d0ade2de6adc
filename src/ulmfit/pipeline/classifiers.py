"""Files -> a classifier's bundle: `ulmfit train`, the whole road."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.corpus import Corpus, prepare
from ulmfit.errors import InputError
from ulmfit.pipeline.cards import classifier_card
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.language_models import Event, finetune_on, with_epochs
from ulmfit.pipeline.options import FinetuneOptions, Source, TrainOptions, directions
from ulmfit.pipeline.passes import told
from ulmfit.pipeline.runs import Note, opened
from ulmfit.pipeline.use import evaluate
from ulmfit.presets import Preset, preset
from ulmfit.pretrained import DEFAULT, open_pretrained
from ulmfit.stages.classify import Labelled, check_labels, classify

LANGUAGE_MODEL_SHARE = 0.6  # of a time budget
FINETUNED = "language-model"


@dataclass(frozen=True)
class Draw:
    """Which rows of the data are used with their labels."""

    rows: NDArray[np.int64]
    """numbers of the rows, rising"""
    labels: NDArray[np.int64]
    names: list[str]


def train(
    options: TrainOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Fine-tune the language model on all texts, then a classifier; save at `options.out`.

    Raises:
        InputError: the data, the language model or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    chosen = _preset(options)
    options.data.check(need_label=True)
    if options.unlabelled:
        _unlabelled(options).check()
    skipped: list[str] = []
    draw = draw_labels(options.data, options.labels, options.machine.seed, skipped.append)
    test = replace(options.data, paths=options.test) if options.test else None
    if test:
        test.check(need_label=True)
    lm = open_pretrained(options.lm or DEFAULT)
    directions(options.direction, lm.directions)
    with opened("train", options, overwrite=overwrite, resuming=resuming) as folder:
        yield from told(skipped)
        yield Note(_counted(draw))
        lm = yield from _language_model(lm, options, chosen, folder)
        bundle = yield from _classifier(lm, options, chosen, draw, folder)
        if test:
            yield Note("measuring on the test rows")
            figures = evaluate(bundle, test, options.machine)
            bundle = replace(bundle, metrics={**bundle.metrics, "test": figures})
        bundles.save(bundle, Path(options.out), classifier_card(bundle))
    return bundle


def _preset(options: TrainOptions) -> Preset:
    chosen = with_epochs(preset(options.preset), options.lm_epochs)
    if options.epochs is None:
        return chosen
    if options.epochs < 1:
        raise InputError(f"{options.epochs} epochs: at least 1 is needed")
    return replace(chosen, classifier=replace(chosen.classifier, epochs=options.epochs))


def _unlabelled(options: TrainOptions) -> Source:
    """The unlabelled files, read like the data but for labels."""
    return Source(options.unlabelled, options.data.text, "", None, options.data.skip_bad_rows)


def draw_labels(
    source: Source, wanted: int | None, seed: int, on_bad: Callable[[str], None] | None = None
) -> Draw:
    """Read the labels and choose `wanted` labelled rows, as many of each label as there are.

    Raises:
        InputError: fewer labelled rows than wanted, one label only, or a label with one row.
    """
    told = [row.label for row in source.rows(on_bad)]
    names = sorted({label for label in told if label is not None})
    number = {name: i for i, name in enumerate(names)}
    rows = np.array([i for i, label in enumerate(told) if label is not None], np.int64)
    labels = np.array([number[label] for label in told if label is not None], np.int64)
    check_labels(labels, names)
    if wanted is not None:
        if wanted > len(rows) or wanted < 2 * len(names):
            raise InputError(
                f"--labels {wanted}: the data has {len(rows)} labelled rows of {len(names)} "
                f"labels, so choose a number from {2 * len(names)} to {len(rows)}"
            )
        kept = _balanced(labels, len(names), wanted, seed)
        rows, labels = rows[kept], labels[kept]
    return Draw(rows, labels, names)


def _balanced(labels: NDArray[np.int64], classes: int, wanted: int, seed: int) -> NDArray[np.int64]:
    """`wanted` positions, dealt to the labels in turn until a label has no more rows."""
    generator = np.random.default_rng(seed)
    turn = np.empty(len(labels))
    for number in range(classes):
        mine = generator.permutation(np.flatnonzero(labels == number))
        turn[mine] = np.arange(len(mine)) + number / classes
    return np.sort(np.argsort(turn, kind="stable")[:wanted])


def _counted(draw: Draw) -> str:
    counts = np.bincount(draw.labels, minlength=len(draw.names))
    each = ", ".join(f"{name} {count:,}" for name, count in zip(draw.names, counts, strict=True))
    return f"{len(draw.rows):,} labelled rows: {each}"


def _language_model(
    lm: Bundle, options: TrainOptions, chosen: Preset, folder: Path
) -> Generator[Event, None, Bundle]:
    """The language model to build on: fine-tuned on all texts unless told not to."""
    if not options.finetune:
        return lm
    saved = folder / FINETUNED
    if saved.exists():
        return bundles.load(saved)

    def texts() -> Iterator[str]:
        yield from options.data.texts()
        if options.unlabelled:
            yield from _unlabelled(options).texts()

    how = FinetuneOptions(options.lm or DEFAULT, options.data, str(saved), options.machine)
    wanted = directions(options.direction, lm.directions)
    budget = _budget(options, LANGUAGE_MODEL_SHARE)
    tuned = yield from finetune_on(
        lm, lambda: distinct(texts()), chosen, folder / "finetune", how, wanted, budget
    )
    bundles.save(tuned, saved, "")
    return tuned


def _budget(options: TrainOptions, share: float) -> float | None:
    return None if options.time_budget is None else options.time_budget * 60 * share


def _classifier(
    lm: Bundle, options: TrainOptions, chosen: Preset, draw: Draw, folder: Path
) -> Generator[Event, None, Bundle]:
    corpus = prepare(
        _chosen_texts(options.data, draw.rows),
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
        "options": {
            k: v for k, v in asdict(options).items() if k in ("labels", "finetune", "direction")
        },
        "seed": options.machine.seed,
    }
    return replace(bundle, provenance=provenance)


def _chosen_texts(source: Source, rows: NDArray[np.int64]) -> Iterator[str]:
    wanted = set(rows.tolist())
    return (row.text for i, row in enumerate(source.rows()) if i in wanted)


def _documents(corpus: Corpus) -> list[NDArray[np.int64]]:
    return np.split(corpus.ids.astype(np.int64), corpus.offsets[1:-1])
