"""Texts -> numbered units: the hot path of both tokenizers.

A few hundred thousand surface forms carry a whole corpus, so what one form becomes is remembered,
and a text is then a split, a table look-up per word and array operations.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.specials import NEWLINE
from ulmfit.text.units import BEGIN_UNIT, NEWLINE_UNIT, Unit, repetition

#: Forms remembered, about 60 MB (a long one weighs as several); then all are forgotten. The
#: commonest are back at once.
MAX_FORMS = 1 << 18
_BEGIN_CODE, _NEWLINE_CODE = 0, 1
#: No form has a space in it.
_BEGIN_FORM = " begin"


class UnitTable:
    """The units met so far, numbered, and the codes of each surface form."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.forms: dict[str, tuple[int, ...]] = {"": ()}
        self.weight = 0
        self._codes: dict[Unit, int] = {}
        self._lock = threading.Lock()
        self.forms[_BEGIN_FORM] = (self.code(BEGIN_UNIT),)
        self.forms[NEWLINE] = (self.code(NEWLINE_UNIT),)

    def code(self, unit: Unit) -> int:
        """Return a unit's number, a new one if it is new."""
        with self._lock:
            code = self._codes.get(unit)
            if code is None:
                code = len(self.units)
                self.units.append(unit)
                self._codes[unit] = code
            return code


class Coded(NamedTuple):
    """Texts as unit codes of a table, each text opened by `xxbos`, and their number of words."""

    table: UnitTable
    codes: NDArray[np.int32]
    words: int


class Coder:
    """Turns prepared texts into unit codes, remembering surface forms.

    split: surface form -> units.
    collapse_words: whether three or more equal units become `xxwrep N unit`.
    """

    def __init__(self, split: Callable[[str], tuple[Unit, ...]], collapse_words: bool) -> None:
        self._split = split
        self._collapse_words = collapse_words
        self._table = UnitTable()

    def code(self, prepared: Sequence[str]) -> Coded:
        r"""Code texts whose line ends are `\n`; runs never cross a line or a text."""
        table = self._table
        if table.weight > MAX_FORMS:
            table = self._table = UnitTable()
        forms: list[str] = []
        for text in prepared:
            forms.append(_BEGIN_FORM)
            forms += text.replace("\n", " \n ").split(" ")
        codes = _join_lines(self._look_up(table, forms))
        words = _count_words(table, codes)
        if self._collapse_words:
            codes = _collapse_runs(table, codes)
        return Coded(table, codes, words)

    def _look_up(self, table: UnitTable, forms: list[str]) -> NDArray[np.int32]:
        try:
            return _flatten(table.forms, forms)
        except KeyError:
            for form in dict.fromkeys(forms):
                if form not in table.forms:
                    units = chain.from_iterable(map(self._split, form.split()))
                    codes = table.forms[form] = tuple(map(table.code, units))
                    table.weight += 1 + (len(form) + len(codes)) // 64
            return _flatten(table.forms, forms)


def _flatten(known: dict[str, tuple[int, ...]], forms: list[str]) -> NDArray[np.int32]:
    return np.fromiter(chain.from_iterable(map(known.__getitem__, forms)), dtype=np.int32)


def _join_lines(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep one line end where several stand, and none at a text's start or end."""
    if len(codes) == 0:
        return codes
    before = np.concatenate(([_BEGIN_CODE], codes[:-1]))
    codes = codes[(codes != _NEWLINE_CODE) | (before > _NEWLINE_CODE)]
    after = np.concatenate((codes[1:], [_BEGIN_CODE]))
    kept: NDArray[np.int32] = codes[(codes != _NEWLINE_CODE) | (after != _BEGIN_CODE)]
    return kept


def _count_words(table: UnitTable, codes: NDArray[np.int32]) -> int:
    """Count words as WikiText does; the last line of a text that is not empty ends too."""
    met, counts = np.unique(codes, return_counts=True)
    pairs = zip(met.tolist(), counts.tolist(), strict=True)
    words: int = sum(table.units[code].words * count for code, count in pairs)
    after = np.concatenate((codes[1:], [_BEGIN_CODE]))
    return words + int(np.count_nonzero((after == _BEGIN_CODE) & (codes != _BEGIN_CODE)))


def _collapse_runs(table: UnitTable, codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Write three or more of the same unit as a mark and one of them."""
    same = codes[1:] == codes[:-1]
    if not np.any(same[1:] & same[:-1] & (codes[2:] != _BEGIN_CODE)):
        return codes
    starts = np.concatenate(([0], np.flatnonzero(~same) + 1))
    lengths = np.diff(starts, append=len(codes))
    first = codes[starts]
    repeated = (lengths >= 3) & (first != _BEGIN_CODE)
    kept = np.where(repeated, 1, lengths)
    places = (np.cumsum(kept) - 1)[repeated]
    marks = [table.code(repetition(int(length))) for length in lengths[repeated]]
    collapsed: NDArray[np.int32] = np.insert(np.repeat(first, kept), places, marks)
    return collapsed
