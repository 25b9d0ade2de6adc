"""Texts and tokens -> letters: lower case, no spaces, so that one can be laid beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.text.rules import stretch
from ulmfit.text.specials import CAPITALISED, REPEAT, UPPER, WORD_REPEAT, unescape
from ulmfit.text.subword_text import BYTES, SPACE

_BYTE = {piece: number for number, piece in enumerate(BYTES)}
_MARKS = frozenset((UPPER, CAPITALISED))
#: Signs that a tokenizer writes as one; the final sigma, which depends on its neighbours.
_SAME = str.maketrans({"\u2019": "'", "\u2010": "-", "\u2011": "-", "\u2013": "-", "ς": "σ"})
#: What `text.rules.normalise_spaces` drops.
SILENT = frozenset(("\xad", "\u200b", "\ufeff", "\u2060"))


@cache
def _letters(character: str) -> str:
    """What is compared of a character: nothing of a space, two letters of `İ`."""
    silent = character in SILENT or character in ("\0", SPACE) or character.isspace()
    return "" if silent else character.lower().translate(_SAME)


def fold(text: str) -> tuple[str, NDArray[np.int64]]:
    """The letters of a text, and (letters,) the place in the text that each comes from."""
    pieces = list(map(_letters, text))
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    return "".join(pieces), np.repeat(np.arange(len(text)), lengths)


class Spelling(NamedTuple):
    """Tokens spelled out. A unit is what belongs together: a word with its marks."""

    letters: str
    units: NDArray[np.int64]
    """(letters,) the unit of each"""
    unit_of: NDArray[np.int64]
    """(tokens,) the unit of each token"""
    size: int
    """how many units"""


def spell(tokens: Sequence[str]) -> Spelling:
    """Undo what the tokenizer did, up to case and spaces.

    >>> spell(["xxwrep", "3", "no", "xxmaj", "love", "xxrep", "4", "o"]).letters
    'nononoloooove'
    """
    spelled: list[str] = []
    tokens_in: list[int] = []
    place = 0
    while place < len(tokens):
        end, word = _unit(tokens, place)
        if word == SPACE and end < len(tokens):  # opens the word behind it
            end, word = _unit(tokens, end)
        spelled.append("".join(map(_letters, word)))
        tokens_in.append(end - place)
        place = end
    numbers = np.arange(len(spelled))
    letters_in = np.fromiter(map(len, spelled), np.int64, len(spelled))
    units, unit_of = np.repeat(numbers, letters_in), np.repeat(numbers, tokens_in)
    return Spelling("".join(spelled), units, unit_of, len(spelled))


def _unit(tokens: Sequence[str], place: int) -> tuple[int, str]:
    """Where the unit ends that begins here, and how it is written."""
    times = 1
    if tokens[place] == WORD_REPEAT:
        times, place = int(tokens[place + 1]), place + 2
    while tokens[place] in _MARKS:
        place += 1
    if tokens[place] == REPEAT:
        return place + 3, tokens[place + 2] * int(tokens[place + 1]) * times
    if tokens[place] in _BYTE:
        return _character(tokens, place)
    place, word = _stretched(tokens, place + 1, unescape(tokens[place]))
    return place, word * times


def _character(tokens: Sequence[str], place: int) -> tuple[int, str]:
    """The bytes of one character, in UTF-8."""
    end = place + 1
    while end < len(tokens) and 0x80 <= _BYTE.get(tokens[end], 0) < 0xC0:
        end += 1
    read = bytes(_BYTE[token] for token in tokens[place:end])
    return end, read.decode(errors="replace")


def _stretched(tokens: Sequence[str], place: int, word: str) -> tuple[int, str]:
    """A word with the elongations behind it: `love xxrep 4 o`."""
    while len(word) > 1 and tokens[place : place + 1] == [REPEAT] and tokens[place + 2].isalpha():
        longer = stretch(word, int(tokens[place + 1]), tokens[place + 2])
        if longer is None:
            break
        word, place = longer, place + 3
    return place, word
