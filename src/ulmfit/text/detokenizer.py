"""Tokens of the word tokenizer -> readable text."""

from collections.abc import Iterator, Sequence

from ulmfit.text.characters import is_single
from ulmfit.text.rules import restore_case, stretch
from ulmfit.text.specials import (
    BEGIN,
    CAPITALISED,
    END,
    NEWLINE,
    PADDING,
    REPEAT,
    UNKNOWN,
    UNKNOWN_TEXT,
    UPPER,
    WORD_REPEAT,
    unescape,
)
from ulmfit.text.units import DASH
from ulmfit.text.words import CONTRACTIONS

#: No run is written longer than this, whatever the tokens say.
MAX_REPEAT = 1_000_000
_SILENT = frozenset((BEGIN, END, PADDING))
_MARKS = frozenset((UPPER, CAPITALISED))
_CLOSING = frozenset(".,;:!?)]}%…”»°、。，！？；：）」』")
_OPENING = frozenset("([{¿¡“‘«$£€#（「『")
_JOINING = frozenset("-/_\u2010\u2011")


def to_text(tokens: Sequence[str]) -> str:
    """Write tokens as a person would: case and repetition restored, signs at their words.

    >>> to_text(["xxmaj", "do", "n't", "xxup", "stop", "xxrep", "4", "!"])
    "Don't STOP!!!!"
    """
    return _space(list(_Reader(tokens).words()))


class _Reader:
    """Reads tokens unit by unit; never fails, whatever stands in them."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [token for token in tokens if token not in _SILENT]
        self._place = 0

    def words(self) -> Iterator[tuple[str, bool]]:
        """Yield each word, and whether it repeats the one before."""
        while self._place < len(self._tokens):
            copies = self._count() if self._is_mark(WORD_REPEAT) else 1
            word = self._unit(MAX_REPEAT // copies)
            if word:
                for copy in range(copies):
                    yield word, copy > 0

    def _is_mark(self, mark: str) -> bool:
        return self._tokens[self._place : self._place + 1] == [mark]

    def _count(self) -> int:
        """Read a mark and the number after it; 1 where no number stands."""
        self._place += 1
        number = "".join(self._tokens[self._place : self._place + 1])
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return 1
        self._place += 1
        return min(max(int(number), 1), MAX_REPEAT)

    def _next(self) -> str:
        token = "".join(self._tokens[self._place : self._place + 1])
        self._place += 1
        return UNKNOWN_TEXT if token == UNKNOWN else unescape(token)

    def _unit(self, most: int) -> str:
        mark = None
        while self._place < len(self._tokens) and self._tokens[self._place] in _MARKS:
            mark = self._next()
        if self._is_mark(REPEAT):
            length = min(self._count(), max(most, 1))
            word = self._next() * length
        else:
            word = self._stretched(self._next())
        return restore_case(mark, word) if mark else word

    def _stretched(self, word: str) -> str:
        while self._is_mark(REPEAT):
            start = self._place
            length, letter = self._count(), self._next()
            longer = stretch(word, length, letter) if letter.isalpha() else None
            if longer is None or len(longer) > MAX_REPEAT:
                self._place = start
                return word
            word = longer
        return word


def _space(words: list[tuple[str, bool]]) -> str:
    out: list[str] = []
    glue, double, single = True, False, False
    before = ""
    for place, (word, repeats) in enumerate(words):
        if word == NEWLINE:
            out.append(word)
            glue, double, single, before = True, False, False, ""
            continue
        opens = word[0] in _OPENING or word in _JOINING
        left = _glues_left(word, before) and not repeats
        if word == '"':
            double = not double
            left, opens = not double, double
        elif word == "'":
            single = not single and not before.endswith("s")
            left, opens = not single, single
        elif word == DASH:
            after = words[place + 1][0] if place + 1 < len(words) else ""
            left = opens = before[-1:].isdigit() and after[:1].isdigit()
        if repeats and is_single(word[0]):
            left = True
        if not (glue or left):
            out.append(" ")
        out.append(word)
        glue = opens or (len(word) > 1 and word[-1] == "'")
        before = word
    return "".join(out)


def _glues_left(word: str, before: str) -> bool:
    if word[0] == before[-1:] and len(word) + len(before) > 2:
        return False  # `...` and `.` would become another sign
    if word[0] in _CLOSING or word in _JOINING or word.lower() in CONTRACTIONS:
        return True
    return bool(before) and is_single(word[0]) and is_single(before[-1])
