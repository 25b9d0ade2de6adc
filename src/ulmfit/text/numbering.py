"""Texts -> numbers of their surface forms, in order of first sight; in compiled code, or by a dict.

The dict is the reference, and what a machine without a compiler has: 2 to 4 times slower.
"""

import ctypes
import os
import weakref
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.native_code import code

#: Numbers of what opens a text and of a line end; the first form has the next.
BEGIN, NEWLINE, FIRST = 0, 1, 2
#: Texts are worked on in pieces of about so many characters: what is made of them stays in the
#: CPU's cache.
PIECE = 1 << 16
_OPENS, _PADDING = b"\xff", 8  # as in forms.c
_NO_MEMORY = "no memory for a table of words"


class Numbered(NamedTuple):
    """Numbers of forms in order, and what they teach.

    New forms have the numbers that follow the last, and so have new parts, whose first is 0.

    lengths: how many parts each new form has. parts: their numbers, form after form.
    new_parts: as text. is_cut: whether each is part of a form that was cut, or a form as it stands.
    characters: of all new forms together.
    """

    numbers: NDArray[np.int32]
    lengths: NDArray[np.int32]
    parts: NDArray[np.int32]
    new_parts: list[str]
    is_cut: list[bool]
    characters: int


class Numbering(Protocol):
    """Numbers the forms of texts; after an exception it is to be thrown away."""

    def number(self, texts: Sequence[str]) -> Numbered:
        r"""Number the forms of texts whose line ends are `\n`; each text opens with `BEGIN`."""
        ...


def numbering(*, cuts: bool) -> Numbering:
    """Return the fastest way there is here.

    cuts: whether forms may be cut, as `cutting.cut` does it.
    """
    found = code()
    return DictNumbering() if found is None else CompiledNumbering(found, cuts=cuts)


def pieces(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Group texts into pieces of about `PIECE` characters."""
    start = size = 0
    for place, text in enumerate(texts):
        size += len(text)
        if size >= PIECE:
            yield texts[start : place + 1]
            start, size = place + 1, 0
    yield texts[start:]


_BEGIN_FORM = " begin"  # no form has a space in it


class DictNumbering:
    """By a dict of forms; none is cut."""

    def __init__(self) -> None:
        self._numbers = {_BEGIN_FORM: BEGIN, "\n": NEWLINE}

    def number(self, texts: Sequence[str]) -> Numbered:
        """See :class:`Numbering`."""
        forms: list[str] = []
        for text in texts:
            forms.append(_BEGIN_FORM)
            forms += filter(None, text.replace("\n", " \n ").split(" "))
        known = self._numbers
        numbers = np.fromiter(map(known.get, forms, repeat(-1)), np.int32, len(forms))
        places = np.flatnonzero(numbers < 0)
        unknown = [forms[place] for place in places.tolist()]
        new = list(dict.fromkeys(unknown))
        places_of_new = range(len(known), len(known) + len(new))
        known.update(zip(new, places_of_new, strict=True))
        numbers[places] = [known[form] for form in unknown]
        return Numbered(
            numbers,
            np.ones(len(new), np.int32),
            np.array(places_of_new, np.int32) - FIRST,
            new,
            [False] * len(new),
            sum(map(len, new)),
        )


class CompiledNumbering:
    """By the tables of `native/forms.c`, which cuts what is ASCII and plain."""

    def __init__(self, code: ctypes.CDLL, *, cuts: bool) -> None:
        self._code = code
        self._tables = code.numbering_new(int.from_bytes(os.urandom(8), "little"), cuts)
        if not self._tables:
            raise MemoryError(_NO_MEMORY)
        end = weakref.finalize(self, code.numbering_free, self._tables)
        end.atexit = False  # another thread may be at work in them still

    def number(self, texts: Sequence[str]) -> Numbered:
        """See :class:`Numbering`."""
        padded = b"".join([*(_OPENS + text.encode() for text in texts), bytes(_PADDING)])
        size = len(padded) - _PADDING
        numbers, lengths, parts = (np.empty(size, np.int32) for _ in range(3))
        places = np.empty((size, 2), np.int64)
        counts = np.empty(5, np.int64)
        arrays = [array.ctypes.data for array in (numbers, lengths, parts, places, counts)]
        if not self._code.numbering_number(self._tables, padded, size, *arrays):
            raise MemoryError(_NO_MEMORY)
        forms, new_forms, of_forms, new_parts, new_bytes = counts.tolist()  # as in forms.c
        starts, ends = places[:new_parts].T
        bounds = zip(starts.tolist(), np.abs(ends).tolist(), strict=True)
        return Numbered(
            numbers[:forms],
            lengths[:new_forms],
            parts[:of_forms],
            [padded[start:end].decode() for start, end in bounds],
            (ends > 0).tolist(),
            new_bytes,
        )
