"""Rows to measure a model on: those with a label, which the model has to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ulmfit.errors import InputError
from ulmfit.pipeline.drawing import OnBad, place
from ulmfit.pipeline.options import Source
from ulmfit.targets.encoding import Coding, Target
from ulmfit.targets.kinds import Kind


def known_rows(
    source: Source, names: Sequence[str], on_bad: OnBad = None, kind: Kind = "single"
) -> Iterator[tuple[str, Target]]:
    """(text, number of its label) of each row that has a label, streamed.

    Of a multi-label target the numbers of all its labels, of a real one the value.

    Raises:
        InputError: while iterating, a label that is none of `names`, with its file and line.
    """
    coding = Coding(kind, names)
    for row in source.rows(on_bad):
        if row.label is None:
            continue
        try:
            yield row.text, coding.of(row.label)
        except InputError as error:
            raise InputError(f"{place(row)}: {error}") from None


def count_known(
    source: Source, names: Sequence[str], on_bad: OnBad = None, kind: Kind = "single"
) -> int:
    """How many rows `known_rows` gives; finds before any long work what would end it.

    Raises:
        InputError: as `known_rows`, or there is no such row.
    """
    count = sum(1 for _ in known_rows(source, names, on_bad, kind))
    if not count:
        raise InputError(f"{', '.join(source.paths)}: no row has a label")
    return count
