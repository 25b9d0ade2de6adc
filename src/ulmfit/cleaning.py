"""Labelled files -> the rows whose label is probably wrong: `ulmfit clean`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.data.rows import Row
from ulmfit.data.write_table import check_table, write_table
from ulmfit.errors import InputError
from ulmfit.label_errors import FOLDS, LabelError, label_errors, out_of_sample
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import refuse_input_as_output
from ulmfit.vectors import document_vectors

Progress = Callable[[int, int | None], None]
"""called with how many texts are read, and of how many"""


@dataclass(frozen=True)
class DoubtedLabel:
    """A row whose label is probably wrong."""

    file: str
    line: int
    """counts from 1; of a Parquet file, the row"""
    given: str
    suggested: str
    confidence: float
    """probability of the suggested label"""
    given_probability: float
    """of the given one"""
    text: str


@dataclass(frozen=True)
class Doubts:
    """What was found."""

    rows: int
    """labelled rows that were judged"""
    doubted: list[DoubtedLabel]
    """the most doubtful first"""
    not_judged: dict[str, int]
    """labels of fewer rows than folds, which cannot be cross-validated, and how many they have"""


def clean(
    bundle: Bundle,
    source: Source,
    machine: Machine = Machine(),
    progress: Progress = lambda done, total: None,
    on_bad: Callable[[str], None] | None = None,
    count: int | None = None,
) -> Doubts:
    """Find the rows whose label is probably wrong (`label_errors`).

    Each row is judged by models that have not seen its label: cross-validated logistic regressions
    on the encoder's document vectors and on TF-IDF. That is out of sample all through if
    `bundle` is a language model; the encoder of a classifier that was trained on these very rows
    has seen their labels, and doubts them less.

    Args:
        bundle: a language model or a classifier; its encoder is used, and nothing else.
        source: rows with one label each; rows without are passed over.
        machine: where to compute, and the seed of the folds.
        progress: told how many texts the encoder has read.
        on_bad: called with a message for each row left out.
        count: how many rows to list at most; None takes as many as are estimated to be wrong.

    Raises:
        InputError: a bad row, several labels in one, fewer than two labels that have
            `label_errors.FOLDS` rows each, or a `count` below 1.
    """
    if count is not None and count < 1:
        raise InputError(f"{count} rows to list: at least 1 is needed")
    source.check(need_label=True)
    rows = _labelled(source, on_bad)
    names, kept, not_judged = _judged([label for _, label in rows])
    rows = [rows[i] for i in kept]
    texts = [row.text for row, _ in rows]
    number = {name: i for i, name in enumerate(names)}
    labels = np.array([number[label] for _, label in rows])
    vectors = []
    for vector in document_vectors(bundle, texts, machine.device, machine.precision):
        vectors.append(vector)
        progress(len(vectors), len(texts))
    probabilities = out_of_sample(np.stack(vectors), texts, labels, len(names), seed=machine.seed)
    errors = label_errors(probabilities, labels, count)
    return Doubts(len(rows), [_named(e, rows[e.row][0], names) for e in errors], not_judged)


def _named(error: LabelError, row: Row, names: list[str]) -> DoubtedLabel:
    return DoubtedLabel(
        row.file,
        row.line,
        names[error.given],
        names[error.suggested],
        error.confidence,
        error.given_probability,
        row.text,
    )


def clean_file(
    bundle: Bundle,
    source: Source,
    out: Path,
    machine: Machine = Machine(),
    progress: Progress = lambda done, total: None,
    on_bad: Callable[[str], None] | None = None,
    count: int | None = None,
) -> Doubts:
    """As `clean`, and write what was found to `out`, one row each, the most doubtful first.

    Raises:
        InputError: as `clean`, or `out` cannot be written.
        OSError: a full disk and the like.
    """
    check_table(out)
    refuse_input_as_output(source, out)
    doubts = clean(bundle, source, machine, progress, on_bad, count)
    write_table(out, map(asdict, doubts.doubted), list(DoubtedLabel.__dataclass_fields__))
    return doubts


def _labelled(source: Source, on_bad: Callable[[str], None] | None) -> list[tuple[Row, str]]:
    found = []
    for row in source.rows(on_bad):
        if isinstance(row.label, tuple):
            raise InputError(
                f"{row.file}:{row.line}: several labels ({', '.join(row.label) or 'none'}) where "
                "one belongs; label errors are looked for among rows of one label each"
            )
        if row.label is not None:
            found.append((row, row.label))
    return found


def _judged(labels: Sequence[str]) -> tuple[list[str], list[int], dict[str, int]]:
    """The labels that can be judged, which rows have them, and how many rows the others have."""
    counts = Counter(labels)
    names = sorted(name for name, count in counts.items() if count >= FOLDS)
    others = {name: counts[name] for name in sorted(counts.keys() - set(names))}
    if len(names) < 2:
        raise InputError(
            f"{len(labels)} labelled rows of {len(counts)} labels, {len(names)} of which have "
            f"{FOLDS} rows or more; to judge labels, two such labels are needed at least"
        )
    known = set(names)
    return names, [i for i, label in enumerate(labels) if label in known], others
