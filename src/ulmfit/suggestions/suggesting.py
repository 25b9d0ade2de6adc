"""Unlabelled files -> the texts worth labelling next: `ulmfit suggest`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.data.columns import LABEL_NAMES
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
        source: rows; those with a label are passed over: something in the column that it names
            or in one called `label`, a label of the model in another that `train` would find.
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
    predictor = _predictor(bundle, count, machine)
    pool = _Pool(source, labelled, predictor, on_bad)
    return _chosen(pool, predictor, count, machine.seed, progress)


def _predictor(bundle: Bundle, count: int, machine: Machine) -> Predictor:
    if not 1 <= count <= MOST:
        raise InputError(f"{count} suggestions: choose a number from 1 to {MOST:,}")
    predictor = Predictor(bundle, machine.device, machine.precision)
    if predictor.target.kind == "real":
        raise InputError("a real-valued model does not tell how unsure it is; suggest needs labels")
    return predictor


def _chosen(
    pool: _Pool, predictor: Predictor, count: int, seed: int, progress: Progress
) -> list[Suggestion]:
    total = sum(1 for _ in pool.rows())  # a bad row is found now, not in the last hour
    if not total:
        raise InputError(f"{', '.join(pool.source.paths)}: there is no text without a label")
    best = Candidates(PER_SUGGESTION * count)
    for done, candidate in enumerate(_candidates(predictor, pool.rows()), 1):
        best.add(candidate)
        progress(done, total)
    return _diverse(predictor, best.ranked(), count, seed)


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
    predictor = _predictor(bundle, count, machine)
    pool = _Pool(source, labelled, predictor, on_bad)
    found = _chosen(pool, predictor, count, machine.seed, progress)
    write_table(out, table(found, pool.has_column))
    return found


def table(found: list[Suggestion], has_column: bool = False) -> Iterator[dict[str, object]]:
    """The rows of a file: the input's columns, an empty one for the label, the reasons.

    Args:
        found: in their order.
        has_column: a column for the label is known to be there.
    """
    taken = dict.fromkeys(name for each in found for name in each.row.fields)
    empty = {} if has_column or any(map(_is_label, taken)) else {LABEL: None}
    names = new_names(ADDED, [*taken, *empty])
    for number, each in enumerate(found, 1):
        told = (number, each.predicted, each.uncertainty, each.distance, each.reason)
        yield {**each.row.fields, **empty, **dict(zip(names, told, strict=True))}


class _Pool:
    """The rows that have no label."""

    def __init__(
        self, source: Source, labelled: Sequence[Source], predictor: Predictor, on_bad: OnBad
    ) -> None:
        """Reads the texts of `labelled`, and of `source` nothing."""
        self.has_column = isinstance(source.label, str)  # for the label, as far as is known
        self.source = source if source.label else source.without_labels()
        self.source.check()
        done = [one.without_labels() for one in labelled]
        for one in done:
            one.check()
        self._known = {text_key(text) for one in done for text in one.texts(on_bad)}
        self._labels = set(predictor.labels)
        self._separator = predictor.target.separator or None
        self._tell = [on_bad]  # each pass meets the same bad rows

    def rows(self) -> Iterator[Row]:
        """They are read anew each time."""
        tell = self._tell.pop() if self._tell else None
        for row in self.source.rows(tell):
            if not self._is_labelled(row) and not self._is_known(row):
                yield row

    def _is_known(self, row: Row) -> bool:
        return bool(self._known) and text_key(row.text) in self._known

    def _is_labelled(self, row: Row) -> bool:
        if row.label is not None:  # in the column that was named
            return True
        if self.source.label:
            return label_of(row.fields, LABEL, None) is not None
        for name in row.fields:
            if _is_label(name) and label_of(row.fields, name, None) is not None:
                return True
            if name.strip().casefold() in LABEL_NAMES and self._holds_labels(row, name):
                self.has_column = True
                return True
        return False

    def _holds_labels(self, row: Row, name: str) -> bool:
        """Whether the model's labels stand there: the column may be about something else."""
        try:
            found = label_of(row.fields, name, self._separator)
        except InputError:  # no label at all
            return False
        several = (found,) if isinstance(found, str) else found or ()
        return bool(several) and self._labels.issuperset(several)


def _is_label(name: str) -> bool:
    return name.strip().casefold() == LABEL


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
