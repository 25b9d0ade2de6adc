"""Pseudo-labels: a classifier's answers on texts without a label, for another to learn from.

Self-training (Yarowsky 1995; Lee 2013, "Pseudo-Label"). The teacher reads a text whole; of a long
one the student learns from a piece, so it has to find in any part of a text what the teacher found
in all of it (as the augmentation of "Noisy Student", Xie et al. 2020). Answers are learned from
whether the teacher was sure of them or not: the surest are the easiest and teach less
(experiments/LOG.md, "What pseudo-labels teach"). They are never held out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ulmfit import bundle as bundles
from ulmfit.budget import Budget
from ulmfit.bundle import Bundle
from ulmfit.corpus import prepare
from ulmfit.data.stream import Ids
from ulmfit.errors import InputError
from ulmfit.files import write_array
from ulmfit.manifest import fingerprint
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.encoding import distinct
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.passes import told
from ulmfit.pipeline.runs import Note, Texts
from ulmfit.pipeline.unchanged import Marks, marks_of, picked
from ulmfit.predict import BLOCK, Predictor
from ulmfit.remote import local_folder
from ulmfit.stages.classifier_loop import Labelled
from ulmfit.targets.decisions import decide
from ulmfit.targets.kinds import Floats, Rows
from ulmfit.text.encoder import Encoder

MOST = 5000
PIECE = 120  # tokens of a long text that are learned from: about a hundred words
EPOCHS = 2  # of the last phase, of a preset that asks for more: they are many, and some are wrong
FILE = "answers.npy"
KINDS = ("single", "ordinal")
ROUNDS = 200  # of `aligned`, which needs about ten
TINY = 1e-12  # a probability that may still be made larger


@dataclass(frozen=True)
class Teacher:
    """Who answers, and what."""

    bundle: Bundle
    digest: str
    """SHA-256 of its config.json, which vouches for the rest"""
    texts: Callable[[], Iterator[str]]
    """the different texts without a label, each time anew"""
    marks: Marks
    """of these, as they were read first"""
    files: str
    """that they stand in, for a person"""
    wanted: int
    """how many answers to learn from, at most as many as there are texts"""
    skipped: list[str]
    """rows that were left out, for a person"""

    @property
    def round(self) -> int:
        """How many teachers stand behind it, one behind the other: 0 of a first classifier."""
        number, behind = 0, self.bundle.provenance.get("teacher")
        while isinstance(behind, dict):
            number, behind = number + 1, behind.get("teacher")
        return number

    def kept(self, budget: Budget) -> Budget:
        """A budget with the time kept in which the teacher reads."""
        reads = len(self.bundle.directions) * self.wanted
        return replace(budget, documents=budget.documents + reads)


def teacher_of(options: TrainOptions, draw: Draw, unlabelled: Sequence[Source]) -> Teacher | None:
    """The teacher that is asked for, None if none is; it knows the labels of the draw.

    Args:
        options: of the call.
        draw: the labelled rows.
        unlabelled: texts beside those of the data that were not drawn.

    Raises:
        InputError: it is no classifier of these labels, pseudo-labels make no sense here, or there
            is no text without a label.
    """
    if options.teacher is None:
        for option, given in (
            ("--pseudo-labels", options.pseudo_labels is not None),
            ("--align", options.align),
        ):
            if given:
                raise InputError(f"{option}: say with --teacher whose answers they are")
        return None
    wanted = MOST if options.pseudo_labels is None else options.pseudo_labels
    if wanted < 1:
        raise InputError(f"--pseudo-labels {wanted}: at least 1 is needed")
    folder = local_folder(options.teacher)
    if folder.resolve() == Path(options.out).resolve():
        raise InputError(
            f"--teacher {folder}: the new model would replace it; choose another --out"
        )
    bundle = bundles.load(folder)
    _check(bundle, options.teacher, draw)
    skipped: list[str] = []

    def texts() -> Iterator[str]:
        skipped.clear()  # each pass meets the same rows
        others = _others(options.data, draw, unlabelled, skipped.append)
        return distinct(others, draw.texts(options.data))

    if not len(marks := marks_of(texts())):
        raise InputError(
            "--teacher: there is no text without a label to learn from; give some with --unlabelled"
        )
    digest = fingerprint(folder / "config.json").sha256
    files = ", ".join(path for source in (options.data, *unlabelled) for path in source.paths)
    return Teacher(bundle, digest, texts, marks, files, min(wanted, len(marks)), skipped)


def _check(bundle: Bundle, name: str, draw: Draw) -> None:
    if bundle.kind != "classifier":
        raise InputError(f"--teacher {name}: a {bundle.kind}, where a classifier is needed")
    if draw.kind not in KINDS or bundle.target.kind != draw.kind:
        raise InputError(
            f"--teacher {name}: a model of the kind {bundle.target.kind} for data of the kind "
            f"{draw.kind}; pseudo-labels are for one label a text, the same on both sides"
        )
    if sorted(bundle.labels) != sorted(draw.names):
        theirs, ours = (", ".join(sorted(names)) for names in (bundle.labels, draw.names))
        raise InputError(f"--teacher {name}: it knows the labels {theirs}; the data has {ours}")


def _others(
    data: Source, draw: Draw, unlabelled: Sequence[Source], on_bad: Callable[[str], None]
) -> Iterator[str]:
    """The texts of the rows that were not drawn, but those of weight 0, and those beside them."""
    drawn = set(draw.rows.tolist())
    yield from (row.text for i, row in enumerate(data.rows()) if i not in drawn and row.weight)
    for source in unlabelled:
        yield from source.texts(on_bad)


def pseudo_labelled(
    teacher: Teacher, options: TrainOptions, draw: Draw, encoder: Encoder, folder: Path
) -> Generator[Note | Texts, None, Labelled]:
    """Pieces of texts without a label, drawn at random, with a teacher's answers as their labels.

    Args:
        teacher: of `teacher_of`.
        options: of the call.
        draw: the labelled rows.
        encoder: turns the texts into ids.
        folder: for the answers; those of an earlier call are used again.
    """
    if not options.finetune:  # else the language model's pass has told them
        yield from told(teacher.skipped)
    path, machine = folder / FILE, options.machine
    if not path.exists():
        places = _places(teacher, machine.seed)
        texts = _at(teacher, places)
        predictor = Predictor(teacher.bundle, machine.device, machine.precision)
        rows = yield from _answered(predictor, texts, len(places))
        rows = rows[:, [teacher.bundle.labels.index(name) for name in draw.names]]
        if options.align:
            rows = aligned(rows, _shares(draw))
        write_array(path, np.stack([places, decide(rows, draw.kind)]))
    places, labels = np.load(path, allow_pickle=False)
    counts = np.bincount(labels, minlength=len(draw.names))
    each = ", ".join(f"{name} {n:,}" for name, n in zip(draw.names, counts, strict=True))
    yield Note(f"{len(places):,} pseudo-labelled texts: {each}")
    corpus = prepare(_at(teacher, places), encoder, folder / "corpus", machine.processes)
    return Labelled(pieces(corpus.each(), [machine.seed, teacher.round]), labels)


def _places(teacher: Teacher, seed: int) -> Rows:
    """(wanted,) which of the texts are answered, in ascending order.

    In each round others, as long as there are some and no fewer are wanted than the round before:
    of a text that it learned from a teacher says what it was told.
    """
    order = np.random.default_rng(seed).permutation(len(teacher.marks))
    return np.sort(np.roll(order, -teacher.round * teacher.wanted)[: teacher.wanted])


def aligned(rows: Floats, shares: Floats) -> Floats:
    """Probabilities whose means are `shares`: each class times a number of its own.

    What a teacher of few labels has learned falsely of how frequent the classes are goes ("class
    mass normalisation", Zhu et al. 2003; "distribution alignment", Berthelot et al. 2020).

    Args:
        rows: (texts, classes) probabilities.
        shares: (classes,) above 0, 1 in all.
    """
    rows, factors = rows.clip(TINY), np.ones(len(shares))
    for _ in range(ROUNDS):
        found = rows * factors
        found /= found.sum(1, keepdims=True)
        means = found.mean(0)
        if np.allclose(means, shares, rtol=1e-6):
            break
        factors *= shares / means
    return found


def _shares(draw: Draw) -> Floats:
    """(classes,) of the labelled rows, by their weights."""
    counts = np.bincount(draw.labels, draw.weights, len(draw.names)).clip(TINY)
    shares: Floats = counts / counts.sum()
    return shares


def pieces(documents: Sequence[Ids], seed: int | list[int], most: int = PIECE) -> list[Ids]:
    """Of each document xxbos and at most `most` of its other tokens, from anywhere, as they stand.

    Args:
        documents: (tokens,) each, xxbos first.
        seed: draws where a piece begins.
        most: tokens of a piece, without xxbos.
    """
    rng = np.random.default_rng(seed)
    starts = [1 + rng.integers(max(0, len(d) - 1 - most) + 1) for d in documents]
    return [
        np.concatenate([d[:1], d[start : start + most]])
        for d, start in zip(documents, starts, strict=True)
    ]


def _at(teacher: Teacher, places: Rows) -> Iterator[str]:
    """Some of the teacher's texts.

    Raises:
        InputError: while iterating, one is not what it was when it was read first.
    """
    marks = teacher.marks[places]
    return picked(teacher.texts(), places, marks, lambda text: text, lambda text: teacher.files)


def _answered(
    predictor: Predictor, texts: Iterator[str], total: int
) -> Generator[Texts, None, Floats]:
    """(texts, classes) probabilities."""
    rows: list[Floats] = []
    for row in predictor.probabilities(texts):
        if len(rows) % BLOCK == 0:
            yield Texts("the teacher answers", len(rows), total)
        rows.append(row)
    return np.stack(rows)
