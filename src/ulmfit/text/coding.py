"""Texts -> numbered units: the hot path of both tokenizers.

A few hundred thousand surface forms carry a whole corpus, so what one form becomes is remembered,
and a text is then a split, a table look-up per word and array operations.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.numbering import pieces
from ulmfit.text.unit_table import BEGIN_CODE, NEWLINE_CODE, Forms, Split, UnitTable
from ulmfit.text.units import repetition

#: Forms remembered, about 30 MB (a long one weighs as several); then all are forgotten. The
#: commonest are back at once.
MAX_FORMS = 1 << 18
#: Units remembered, about 45 MB; then they are numbered anew.
MAX_UNITS = 1 << 17
NO_CODES = np.zeros(0, np.int32)


class Coded(NamedTuple):
    """Texts as unit codes of a table, each text opened by `xxbos`, and their number of words."""

    table: UnitTable
    codes: NDArray[np.int32]
    words: int


class Coder:
    """Turns prepared texts into unit codes, remembering surface forms.

    split: surface form -> units.
    split_part: the same of a part of a form (`cutting.py`); None: forms are not cut.
    collapse_words: whether three or more equal units become `xxwrep N unit`.
    """

    def __init__(
        self, split: Split, *, split_part: Split | None = None, collapse_words: bool
    ) -> None:
        self._split = split
        self._split_part = split_part
        self._collapse_words = collapse_words
        self.forms = self._forms_of(UnitTable())

    def code(self, prepared: Iterable[str]) -> Coded:
        r"""Code texts whose line ends are `\n`; runs never cross a line or a text."""
        known = self._remembered()
        table = known.table
        found = [known.codes(piece) for piece in pieces(list(prepared))]
        codes = _join_lines(np.concatenate([NO_CODES, *found]))
        words = table.words(codes) + _last_lines(codes)
        if self._collapse_words:
            codes = _collapse_runs(table, codes)
        return Coded(table, codes, words)

    def _remembered(self) -> Forms:
        known = self.forms
        if known.table.weight > MAX_UNITS:
            known = self.forms = self._forms_of(UnitTable())
        elif known.weight > MAX_FORMS:
            known = self.forms = self._forms_of(known.table)
        return known

    def _forms_of(self, table: UnitTable) -> Forms:
        return Forms(table, self._split, self._split_part)


def _join_lines(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep one line end where several stand, and none at a text's start or end."""
    if len(codes) == 0:
        return codes
    before = np.concatenate(([BEGIN_CODE], codes[:-1]))
    codes = codes[(codes != NEWLINE_CODE) | (before > NEWLINE_CODE)]
    after = np.concatenate((codes[1:], [BEGIN_CODE]))
    kept: NDArray[np.int32] = codes[(codes != NEWLINE_CODE) | (after != BEGIN_CODE)]
    return kept


def _last_lines(codes: NDArray[np.int32]) -> int:
    """Count the texts that are not empty: WikiText counts the end of their last line too."""
    after = np.concatenate((codes[1:], [BEGIN_CODE]))
    return int(np.count_nonzero((after == BEGIN_CODE) & (codes != BEGIN_CODE)))


def _collapse_runs(table: UnitTable, codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Write three or more of the same unit as a mark and one of them."""
    same = codes[1:] == codes[:-1]
    if not np.any(same[1:] & same[:-1] & (codes[2:] != BEGIN_CODE)):
        return codes
    starts = np.concatenate(([0], np.flatnonzero(~same) + 1))
    lengths = np.diff(starts, append=len(codes))
    first = codes[starts]
    repeated = (lengths >= 3) & (first != BEGIN_CODE)
    kept = np.where(repeated, 1, lengths)
    places = (np.cumsum(kept) - 1)[repeated]
    marks = [table.code(repetition(int(length))) for length in lengths[repeated]]
    collapsed: NDArray[np.int32] = np.insert(np.repeat(first, kept), places, marks)
    return collapsed
