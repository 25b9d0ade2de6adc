"""The words of a user's own text, and which word each token of the model belongs to.

The tokenizer changes a text before the model sees it: case becomes a mark, `&amp;` a sign, three
equal words one of them. So the tokens are spelled out again and laid beside the text. A word is
then what both agree on: never less than a token, and never torn out of its letters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.explanations.alignment import equal_runs
from ulmfit.explanations.spelling import SILENT, fold, spell
from ulmfit.text import SubwordTokenizer, WordTokenizer
from ulmfit.text.characters import CLASSES

NONE = -1
#: Scripts written without spaces whose words only a tokenizer knows: Thai, Lao, Burmese, Khmer.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
_JOINER = 0x200D  # makes one emoji of two
_SKIN, _FLAG = range(0x1F3FB, 0x1F400), range(0x1F1E6, 0x1F200)


class _Classes:
    """`text.characters`, and apart from it: M marks, J the joiner, R halves of flags, a space."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def __getitem__(self, code: int) -> str:
        """The class of a code point, one character long; remembered."""
        found = self._known.get(code)
        if found is None:
            found = self._known[code] = _classify(code)
        return found


def _classify(code: int) -> str:
    character = chr(code)
    if character.isspace() or code == 0:
        return " "
    if code == _JOINER:
        return "J"
    if unicodedata.category(character)[0] == "M" or code in _SKIN or character in SILENT:
        return "M"
    if any(first <= code <= last for first, last in _UNSPACED):
        return "C"
    return "R" if code in _FLAG else CLASSES[code]


_CLASSES = _Classes()
_WORD = re.compile(
    r"(?P<letters>(?=[LD])(?:D[.,:](?=D)|[LDM]['-](?=[LD])|[LDMJ])+)"  # don't  well-known  3.14
    r"|(?:CM*|RR|[^ ])(?:M|J[^ ])*"  # a sign with its marks; Han, kana, Thai: one at a time
)


class Reading(NamedTuple):
    """A text as the model reads it."""

    spans: list[tuple[int, int]]
    """of each word: its first character and the one behind its last; rising, without overlap"""
    owner: NDArray[np.int64]
    """(tokens,) the word of each token, the first of which is `xxbos`; NONE for no word"""


def read(text: str, tokenizer: WordTokenizer | SubwordTokenizer) -> Reading:
    """Find the words of a text and the tokens of each, in time linear in its length.

    A word is a run of letters and digits (`don't`, `3.14`), a run of one sign, a Han character
    or kana; larger where a token is: `U.S.`, an address, `no no no`.
    """
    whole = base_words(text)
    first, last = _reach(text, whole, tokenizer.tokens(text))
    merged = _merged(len(whole), first, last)
    starts = np.flatnonzero(np.diff(merged, prepend=-1))
    ends = np.flatnonzero(np.diff(merged, append=len(whole)))
    spans = [(whole[i][0], whole[j][1]) for i, j in zip(starts, ends, strict=True)]
    owner = np.full(len(first) + 1, NONE, np.int64)
    known = np.flatnonzero(first <= last)
    owner[known + 1] = merged[first[known]]
    return Reading(spans, owner)


def base_words(text: str) -> list[tuple[int, int]]:
    """The spans of the words of a text, as a reader without a tokenizer sees them."""
    spans: list[tuple[int, int]] = []
    sign = ""
    for found in _WORD.finditer(text.translate(_CLASSES)):
        start, end = found.span()
        piece = "" if found["letters"] else text[start:end]
        if piece and piece == sign and spans[-1][1] == start and not piece.isalnum():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        sign = piece
    return spans


def _reach(
    text: str, whole: list[tuple[int, int]], tokens: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(tokens,) the first and the last word that a token reaches into; first > last: none."""
    word_at = np.full(len(text), NONE, np.int64)
    for number, (start, end) in enumerate(whole):
        word_at[start:end] = number
    letters, places = fold(text)
    words = word_at[places]
    spelling = spell(tokens)
    first = np.full(spelling.size, len(whole), np.int64)
    last = np.full(spelling.size, NONE, np.int64)
    longest = np.zeros(spelling.size, np.int64)
    for mine, theirs, length in equal_runs(spelling.letters, letters):
        units, starts, lengths = np.unique(
            spelling.units[mine : mine + length], return_index=True, return_counts=True
        )
        better = lengths >= longest[units]  # a few equal letters before it were chance
        units, starts, lengths = units[better], theirs + starts[better], lengths[better]
        first[units], last[units] = words[starts], words[starts + lengths - 1]
        longest[units] = lengths
    return first[spelling.unit_of], last[spelling.unit_of]


def _merged(count: int, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """(words,) a new number for each word: those that one token reaches over become one."""
    joined = np.zeros(count + 1, np.int64)  # how many tokens reach over the border before a word
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        if a < b:
            joined[a + 1] += 1
            joined[b + 1] -= 1
    is_new = np.cumsum(joined[:count]) == 0
    numbers: NDArray[np.int64] = np.cumsum(is_new) - 1
    return numbers
