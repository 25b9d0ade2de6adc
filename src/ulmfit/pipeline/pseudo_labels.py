"""Pseudo-labels: a classifier's surest answers on texts without a label, for another to learn from.

Self-training (Yarowsky 1995; Lee 2013, "Pseudo-Label"): of each class, the half of the answers
that the teacher is surest of. They are learned from and never held out.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.corpus import prepare
from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.runs import Note, Texts
from ulmfit.predict import BLOCK, Predictor
from ulmfit.remote import local_folder
from ulmfit.stages.classifier_loop import Labelled
from ulmfit.targets.decisions import confidence, decide
from ulmfit.targets.kinds import Floats, Rows
from ulmfit.text.encoder import Encoder

MOST = 5000
EPOCHS = 2  # of the last phase, of a preset that asks for more: they are many, and some are wrong
FILE = "answers.npy"
KINDS = ("single", "ordinal")


def open_teacher(options: TrainOptions, draw: Draw, unlabelled: Sequence[Source]) -> Bundle | None:
    """The teacher that is asked for, None if none is; it knows the labels of the draw.

    Raises:
        InputError: it is no classifier of these labels, pseudo-labels make no sense here, or there
            is no text without a label.
    """
    if options.teacher is None:
        if options.pseudo_labels is not None:
            raise InputError("--pseudo-labels: say with --teacher whose answers they are")
        return None
    if options.pseudo_labels is not None and options.pseudo_labels < 1:
        raise InputError(f"--pseudo-labels {options.pseudo_labels}: at least 1 is needed")
    teacher = bundles.load(local_folder(options.teacher))
    teacher.require("classifier")
    if draw.kind not in KINDS or teacher.target.kind != draw.kind:
        raise InputError(
            f"--teacher {options.teacher}: a model of the kind {teacher.target.kind} for data of "
            f"the kind {draw.kind}; pseudo-labels are for one label a text, the same on both sides"
        )
    if sorted(teacher.labels) != sorted(draw.names):
        theirs, ours = (", ".join(sorted(names)) for names in (teacher.labels, draw.names))
        raise InputError(
            f"--teacher {options.teacher}: it knows the labels {theirs}; the data has {ours}"
        )
    if next(_pool(options, draw, unlabelled), None) is None:
        raise InputError(
            "--teacher: there is no text without a label to learn from; give some with --unlabelled"
        )
    return teacher


def pseudo_labelled(
    teacher: Bundle,
    options: TrainOptions,
    draw: Draw,
    unlabelled: Sequence[Source],
    encoder: Encoder,
    folder: Path,
) -> Generator[Note | Texts, None, Labelled]:
    """The texts that a teacher is surest of, with its answers as their labels.

    Texts are drawn from those without a label, twice as many as are wanted, each different one
    once and none that has a label in the draw.

    Args:
        teacher: of `open_teacher`.
        options: of the call.
        draw: the labelled rows.
        unlabelled: more texts.
        encoder: turns the texts into ids.
        folder: for the answers; those of an earlier call are used again.
    """

    def pool() -> Iterator[str]:
        return _pool(options, draw, unlabelled)

    path = folder / FILE
    if not path.exists():
        places = _drawn(sum(1 for _ in pool()), options)
        rows = yield from _answered(teacher, options, _at(pool(), places), len(places))
        answers = decide(rows, draw.kind)
        kept = surest(answers, confidence(rows, answers, draw.kind))
        number = np.array([draw.names.index(name) for name in teacher.labels])
        _save(path, places[kept], number[answers[kept]])
    places, labels = np.load(path, allow_pickle=False)
    counts = np.bincount(labels, minlength=len(draw.names))
    each = ", ".join(f"{name} {n:,}" for name, n in zip(draw.names, counts, strict=True))
    yield Note(f"{len(places):,} pseudo-labelled texts: {each}")
    corpus = prepare(_at(pool(), places), encoder, folder / "corpus", options.machine.processes)
    return Labelled(corpus.each(), labels)


def surest(answers: Rows, sure: Floats) -> NDArray[np.bool_]:
    """(texts,) which answers belong to the surer half of their class; of an odd number one more.

    Args:
        answers: (texts,) class numbers.
        sure: (texts,) how sure each answer is.
    """
    kept = np.zeros(len(answers), bool)
    for number in np.unique(answers):
        mine = np.flatnonzero(answers == number)
        order = mine[np.argsort(-sure[mine], kind="stable")]
        kept[order[: (len(mine) + 1) // 2]] = True
    return kept


def _pool(options: TrainOptions, draw: Draw, unlabelled: Sequence[Source]) -> Iterator[str]:
    """The different texts without a label: of rows that were not drawn, and beside the data."""
    drawn = set(draw.rows.tolist())

    def others() -> Iterator[str]:
        yield from (text for row, text in enumerate(options.data.texts()) if row not in drawn)
        for source in unlabelled:
            yield from source.texts(lambda message: None)

    return distinct(others(), draw.texts(options.data))


def _drawn(there_are: int, options: TrainOptions) -> Rows:
    """Places of the texts that the teacher answers, rising."""
    wanted = 2 * (options.pseudo_labels or MOST)
    order = np.random.default_rng(options.machine.seed).permutation(there_are)
    return np.sort(order[:wanted])


def _at(texts: Iterator[str], places: Rows) -> Iterator[str]:
    wanted = set(places.tolist())
    last = int(places[-1]) + 1
    return (text for place, text in enumerate(islice(texts, last)) if place in wanted)


def _answered(
    teacher: Bundle, options: TrainOptions, texts: Iterator[str], total: int
) -> Generator[Texts, None, Floats]:
    """(texts, classes) probabilities."""
    predictor = Predictor(teacher, options.machine.device)
    rows: list[Floats] = []
    for row in predictor.probabilities(texts):
        if len(rows) % BLOCK == 0:
            yield Texts("the teacher answers", len(rows), total)
        rows.append(row)
    return np.stack(rows)


def _save(path: Path, places: Rows, labels: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = io.BytesIO()
    np.save(data, np.stack([places, labels]), allow_pickle=False)
    write_atomically(path, data.getvalue())
