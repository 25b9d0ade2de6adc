"""What has been met so far: units, numbered, and the codes that each surface form becomes."""

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.cutting import cut
from ulmfit.text.numbering import Numbered, numbering
from ulmfit.text.ragged import Ragged, grown
from ulmfit.text.units import BEGIN_UNIT, NEWLINE_UNIT, Unit

Split = Callable[[str], tuple[Unit, ...]]

BEGIN_CODE, NEWLINE_CODE = 0, 1
#: Parts of forms remembered, about 25 MB (a long one weighs as several); then they are forgotten.
MAX_PARTS = 1 << 17


class UnitTable:
    """Units by their codes, and the codes that parts of forms stand for."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.lock = threading.Lock()
        self.weight = 0
        self._parts: dict[str, tuple[int, ...]] = {}
        self._weight_of_parts = 0
        self._codes: dict[Unit, int] = {}
        self._words = np.zeros(1024, np.int32)  # (units,) words in each
        self.number((BEGIN_UNIT, NEWLINE_UNIT))

    def code(self, unit: Unit) -> int:
        """Return a unit's code, a new one if it is new."""
        with self.lock:
            return self.number((unit,))[0]

    def number(self, units: Iterable[Unit]) -> tuple[int, ...]:
        """Return the codes of units, new ones for new units; the lock is the caller's to hold."""
        known = self._codes.get
        return tuple([self._add(unit) if (code := known(unit)) is None else code for unit in units])

    def _add(self, unit: Unit) -> int:
        code = self._codes[unit] = len(self.units)
        self.units.append(unit)
        tokens, words = unit
        if code >= len(self._words):
            self._words = grown(self._words, code + 1)
        self._words[code] = words
        self.weight += 1 + len("".join(tokens)) // 64
        return code

    def codes_of_part(self, part: str, split: Split) -> tuple[int, ...]:
        """Return the codes of a part of a form; the lock is the caller's to hold."""
        codes = self._parts.get(part)
        if codes is None:
            codes = self.number(split(part))
            self._weight_of_parts += 1 + (len(part) + len(codes)) // 64
            if self._weight_of_parts > MAX_PARTS:
                self._parts, self._weight_of_parts = {}, 0
            self._parts[part] = codes
        return codes

    def words(self, codes: NDArray[np.int32]) -> int:
        """Return how many words stand in units."""
        return int(self._words[codes].sum())


class Forms:
    """The surface forms met so far, numbered, and the codes that each becomes.

    split: surface form -> units. split_part: the same of a part of a form; None: no form is cut.
    """

    def __init__(self, table: UnitTable, split: Split, split_part: Split | None) -> None:
        self.table = table
        self._split = split
        self._split_part = split_part
        self._forget()

    def _forget(self) -> None:
        self.weight = 0
        self._numbering = numbering(cuts=self._split_part is not None)
        self._parts = Ragged()
        self._codes = Ragged()
        self._codes.extend([[BEGIN_CODE], [NEWLINE_CODE]])

    def __len__(self) -> int:
        """Return the number of forms."""
        return len(self._codes)

    def codes(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the codes of the forms of texts, one after the other, in order."""
        with self.table.lock:
            try:
                numbered = self._numbering.number(texts)
                if len(numbered.lengths):
                    self._learn(numbered)
                return self._codes.take(numbered.numbers)
            except BaseException:
                self._forget()  # some forms may be numbered and not learned
                raise

    def _learn(self, numbered: Numbered) -> None:
        self._parts.extend(
            [
                self._codes_of_part(text) if is_cut else self._codes_of(text)
                for text, is_cut in zip(numbered.new_parts, numbered.is_cut, strict=True)
            ]
        )
        of_parts = self._parts.lengths(numbered.parts)
        firsts = np.cumsum(numbered.lengths) - numbered.lengths
        codes = self._parts.take(numbered.parts)
        self._codes.append(np.add.reduceat(of_parts, firsts), codes)
        self.weight += len(firsts) + (numbered.characters + len(codes)) // 64

    def _codes_of(self, form: str) -> Sequence[int]:
        parts = cut(form) if self._split_part else None
        if parts is None:
            return self.table.number(chain.from_iterable(map(self._split, form.split())))
        return list(chain.from_iterable(map(self._codes_of_part, parts)))

    def _codes_of_part(self, part: str) -> Sequence[int]:
        assert self._split_part is not None
        return self.table.codes_of_part(part, self._split_part)
