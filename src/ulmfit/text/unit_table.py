"""What has been met so far: units, numbered, and the codes that each surface form becomes."""

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.cutting import cut
from ulmfit.text.ragged import Ragged, grown
from ulmfit.text.specials import NEWLINE
from ulmfit.text.units import BEGIN_UNIT, NEWLINE_UNIT, Unit

Split = Callable[[str], tuple[Unit, ...]]

BEGIN_CODE, NEWLINE_CODE = 0, 1
#: No form has a space in it.
BEGIN_FORM = " begin"
_NEW = -1


class UnitTable:
    """Units by their codes, and the codes that parts of forms stand for."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.lock = threading.Lock()
        self.weight = 0
        self.parts: dict[str, tuple[int, ...]] = {}
        self._codes: dict[Unit, int] = {}
        self._words = np.zeros(1024, np.int32)  # (units,) words in each
        self.number((BEGIN_UNIT, NEWLINE_UNIT))

    def code(self, unit: Unit) -> int:
        """Return a unit's code, a new one if it is new."""
        with self.lock:
            return self.number((unit,))[0]

    def number(self, units: Iterable[Unit]) -> tuple[int, ...]:
        """Return the codes of units, new ones for new units; the lock is the caller's to hold."""
        return tuple(
            [self._codes[unit] if unit in self._codes else self._add(unit) for unit in units]
        )

    def _add(self, unit: Unit) -> int:
        code = self._codes[unit] = len(self.units)
        self._words = grown(self._words, code + 1)
        self._words[code] = unit.words
        self.weight += 1 + sum(map(len, unit.tokens)) // 64
        self.units.append(unit)
        return code

    def words(self, codes: NDArray[np.int32]) -> int:
        """Return how many words stand in units."""
        return int(self._words[codes].sum())


class Forms:
    """The surface forms met so far, numbered, and the codes that each becomes.

    split: surface form -> units. split_part: the same of a part of a form; None: no form is cut.
    """

    def __init__(self, table: UnitTable, split: Split, split_part: Split | None) -> None:
        self.table = table
        self.weight = 0
        self._split = split
        self._split_part = split_part
        self._numbers = {BEGIN_FORM: 0, NEWLINE: 1, "": 2}
        self._codes = Ragged()
        self._codes.extend([[BEGIN_CODE], [NEWLINE_CODE], []])

    def __len__(self) -> int:
        """Return the number of forms."""
        return len(self._numbers)

    def codes(self, forms: Sequence[str]) -> NDArray[np.int32]:
        """Return the codes of forms, one after the other, in order."""
        numbers = np.fromiter(map(self._numbers.get, forms, repeat(_NEW)), np.int32, len(forms))
        places = np.flatnonzero(numbers == _NEW)
        if len(places):
            new = [forms[place] for place in places.tolist()]
            with self.table.lock:
                self._learn([form for form in dict.fromkeys(new) if form not in self._numbers])
            numbers[places] = [self._numbers[form] for form in new]
        return self._codes.take(numbers)

    def _learn(self, new: Sequence[str]) -> None:
        codes = list(map(self._codes_of, new))
        first = len(self._codes)
        self._codes.extend(codes)
        sizes = zip(map(len, new), map(len, codes), strict=True)
        self.weight += sum(1 + (characters + units) // 64 for characters, units in sizes)
        self._numbers.update(zip(new, range(first, first + len(new)), strict=True))

    def _codes_of(self, form: str) -> Sequence[int]:
        parts = cut(form) if self._split_part else None
        if parts is None:
            return self.table.number(chain.from_iterable(map(self._split, form.split())))
        try:
            return list(chain.from_iterable(map(self.table.parts.__getitem__, parts)))
        except KeyError:
            return self._learn_parts(parts)

    def _learn_parts(self, parts: Sequence[str]) -> Sequence[int]:
        assert self._split_part is not None
        known = self.table.parts
        for part in parts:
            if part not in known:
                known[part] = self.table.number(self._split_part(part))
        return list(chain.from_iterable(map(known.__getitem__, parts)))
