"""Unlabelled files -> the texts worth labelling next: `ulmfit suggest`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.data.labels import label_of
from ulmfit.data.rows import Row
from ulmfit.data.write_table import check_table, new_names, write_table
from ulmfit.errors import InputError
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import refuse_input_as_output
from ulmfit.predict import Predictor
from ulmfit.suggestions.candidates import Candidate, Candidates, text_key
from ulmfit.suggestions.diversity import choose, unit_vectors
from ulmfit.suggestions.uncertainty import reason, uncertainty

PER_SUGGESTION = 10  # candidates: the beta of Zhdanov 2019, sec. 4
MOST = 10_000  # suggestions in a call: ten times as many texts and vectors are held
LABEL = "label"  # the column that is filled in, and that `ulmfit train` reads
ADDED = ("suggestion", "predicted", "uncertainty", "distance", "reason")
Progress = Callable[[int, int | None], None]
"""called with how many texts are read, and of how many"""
OnBad = Callable[[str], None] | None


@dataclass(frozen=True)
class Suggestion:
    """A text worth labelling."""

    row: Row
    predicted: str
    """what the model would say; several labels joined"""
    uncertainty: float
    """0 (certain) to 1 (even)"""
    distance: float
    """of its document vector from the nearest of the suggestions before it, 0 to 2"""
    reason: str
    """what the model wavers between"""


def suggest(
    bundle: Bundle,
    source: Source,
    count: int = 50,
    *,
    labelled: Sequence[Source] = (),
    machine: Machine = Machine(),
    progress: Progress = lambda done, total: None,
    on_bad: OnBad = None,
) -> list[Suggestion]:
    """Choose texts that the model is unsure of and that are unlike each other.

    The files are streamed: what is held does not grow with them, but with `count`.

    Args:
        bundle: a classifier.
        source: rows; those with a label, in the column it names or one called `label`, are
            passed over.
        count: how many to choose; the first k of them are a choice of k.
        labelled: files whose texts need no label any more.
        machine: where to compute, and the seed of the draws.
        progress: told how many texts were read.
        on_bad: called with a message for each row left out.

    Returns:
        `count` suggestions, or fewer where there are no more distinct texts.

    Raises:
        InputError: no classifier or a real-valued one, a bad row, a `count` out of range, or no
            text without a label.
    """
    if not 1 <= count <= MOST:
        raise InputError(f"{count} suggestions: choose a number from 1 to {MOST:,}")
    predictor = Predictor(bundle, machine.device, machine.precision)
    if predictor.target.kind == "real":
        raise InputError("a real-valued model does not tell how unsure it is; suggest needs labels")
    unlabelled = _unlabelled(source, labelled, on_bad)
    total = sum(1 for _ in unlabelled())  # a bad row is found now, not in the last hour
    if not total:
        raise InputError(f"{', '.join(source.paths)}: there is no text without a label")
    best = Candidates(PER_SUGGESTION * count)
    for done, candidate in enumerate(_candidates(predictor, unlabelled()), 1):
        best.add(candidate)
        progress(done, total)
    return _diverse(predictor, best.ranked(), count, machine.seed)


def suggest_file(
    bundle: Bundle,
    source: Source,
    out: Path,
    count: int = 50,
    *,
    labelled: Sequence[Source] = (),
    machine: Machine = Machine(),
    progress: Progress = lambda done, total: None,
    on_bad: OnBad = None,
) -> list[Suggestion]:
    """As `suggest`, and write the rows with all their columns to `out`, ready to be labelled.

    Added are `ADDED` and, where the input has none, an empty column for the label.

    Raises:
        InputError: as `suggest`, or `out` cannot be written.
        OSError: a full disk and the like.
    """
    check_table(out)
    for read in (source, *labelled):
        refuse_input_as_output(read, out)
    found = suggest(
        bundle,
        source,
        count,
        labelled=labelled,
        machine=machine,
        progress=progress,
        on_bad=on_bad,
    )
    write_table(out, table(found, source.label if isinstance(source.label, str) else None))
    return found


def table(found: list[Suggestion], label: str | None = None) -> Iterator[dict[str, object]]:
    """The rows of a file: the input's columns, an empty one for the label, the reasons."""
    taken = dict.fromkeys(name for each in found for name in each.row.fields)
    empty = {} if label or LABEL in taken else {LABEL: None}
    names = new_names(ADDED, [*taken, *empty])
    for number, each in enumerate(found, 1):
        told = (number, each.predicted, each.uncertainty, each.distance, each.reason)
        yield {**each.row.fields, **empty, **dict(zip(names, told, strict=True))}


def _unlabelled(
    source: Source, labelled: Sequence[Source], on_bad: OnBad
) -> Callable[[], Iterator[Row]]:
    """Gives the rows that have no label, each time anew."""
    source = source if source.label else source.without_labels()
    source.check()
    done = [one.without_labels() for one in labelled]
    for one in done:
        one.check()
    known = {text_key(text) for one in done for text in one.texts(on_bad)}
    first = [on_bad]  # each pass meets the same bad rows

    def rows() -> Iterator[Row]:
        tell = first.pop() if first else None
        for row in source.rows(tell):
            if not _is_labelled(row) and not (known and text_key(row.text) in known):
                yield row

    return rows


def _is_labelled(row: Row) -> bool:
    """Whether it has a label: in the column that was named, or in one called `label`."""
    return row.label is not None or label_of(row.fields, LABEL, None) is not None


def _candidates(predictor: Predictor, rows: Iterable[Row]) -> Iterator[Candidate]:
    waiting: list[Row] = []

    def texts() -> Iterator[str]:
        for row in rows:
            waiting.append(row)
            yield row.text

    done = 0
    for answer in predictor.answers(texts(), abstain_below=0):
        assert answer.probabilities is not None
        probabilities = answer.probabilities.copy()  # or it would hold those of its whole block
        unsure = uncertainty(probabilities, predictor.target)
        yield Candidate(waiting[done], replace(answer, probabilities=probabilities), unsure)
        done += 1
        if done == len(waiting):  # the end of a block
            waiting.clear()
            done = 0


def _diverse(
    predictor: Predictor, candidates: list[Candidate], count: int, seed: int
) -> list[Suggestion]:
    vectors = np.stack(list(predictor.vectors(c.row.text for c in candidates)))
    weights = np.array([c.uncertainty for c in candidates])
    chosen = choose(unit_vectors(vectors), weights, count, seed)
    taken = (candidates[row] for row in chosen.rows)
    return [
        _suggestion(predictor, candidate, distance)
        for candidate, distance in zip(taken, chosen.distances, strict=True)
    ]


def _suggestion(predictor: Predictor, candidate: Candidate, distance: float) -> Suggestion:
    label, probabilities = candidate.answer.label, candidate.answer.probabilities
    assert probabilities is not None
    if isinstance(label, tuple):
        label = (predictor.target.separator or ", ").join(label)
    why = reason(probabilities, predictor.labels, predictor.target)
    return Suggestion(candidate.row, str(label), candidate.uncertainty, distance, why)
