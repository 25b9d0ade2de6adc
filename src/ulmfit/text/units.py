"""Surface form -> units: the smallest runs of tokens that mean one thing together.

A unit is a word with its case mark and elongations (`xxmaj love xxrep 4 o`), or a sign. Word
repetition is a run of one unit.
"""

import re
from typing import NamedTuple

from ulmfit.text.rules import Rules, collapse_elongation, is_elongated, mark_case
from ulmfit.text.specials import BEGIN, NEWLINE, REPEAT, UPPER, WORD_REPEAT, escape
from ulmfit.text.words import pieces


class Unit(NamedTuple):
    """Tokens that belong together, and how many words WikiText would count in them."""

    tokens: tuple[str, ...]
    words: int


BEGIN_UNIT = Unit((BEGIN,), 0)
NEWLINE_UNIT = Unit((NEWLINE,), 1)

_STOP = Unit((".",), 1)
#: Moses, and so WikiText, counts these and their stop as one word. Initials, and the commonest of
#: its list of English prefixes.
_ABBREVIATION = re.compile(
    r"(?:^|\W)(?:[^\W\d_]|mr|mrs|ms|dr|st|no|col|gen|lt|sgt|prof|bros|vs|rev|sr|jr|gov|sen|rep|"
    r"capt|maj|adm|hon|var|pp|etc|inc|ltd|co|corp)\.$",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[.,:&]")
#: A hyphen standing alone between spaces is a dash, and is written as one.
DASH = "\u2013"


def repetition(count: int) -> Unit:
    """Return the mark that the next unit stands `count` times."""
    return Unit((WORD_REPEAT, str(count)), 0)


def word_units(surface: str, rules: Rules) -> tuple[Unit, ...]:
    """Split one surface form (no spaces) into units, by the rules that look at one word.

    >>> word_units("Good!!!!", Rules())
    (Unit(tokens=('xxmaj', 'good'), words=1), Unit(tokens=('xxrep', '4', '!'), words=4))
    """
    if surface == "-":
        return (Unit((DASH,), 1),)
    if surface.isascii() and surface.isalpha():
        return (_word(surface, rules),)
    units: list[Unit] = []
    words: dict[str, Unit] = {}
    sign, length = "", 0
    for piece in pieces(surface):
        if len(piece) == 1 and not piece.isalnum():
            if piece != sign:
                units += _signs(sign, length, rules)
                sign, length = piece, 0
            length += 1
        else:
            units += _signs(sign, length, rules)
            sign, length = "", 0
            if piece not in words:
                words[piece] = _word(piece, rules)
            units.append(words[piece])
    units += _signs(sign, length, rules)
    if surface[-1:] == "." and units[-1] == _STOP and ends_abbreviated(surface):
        units[-1] = Unit(_STOP.tokens, 0)
    return tuple(units)


def ends_abbreviated(surface: str) -> bool:
    """Say whether a form ends in an abbreviation's stop, which WikiText does not count."""
    return _ABBREVIATION.search(surface[-8:]) is not None


def _signs(sign: str, length: int, rules: Rules) -> list[Unit]:
    if sign * length in ("...", "--"):
        return [Unit((sign * length,), 1)]
    if length < 3 or not rules.char_repetition:
        return [Unit((sign,), 1)] * length
    return [Unit((REPEAT, str(length), sign), 1 if sign in ".-" else length)]


def _word(piece: str, rules: Rules) -> Unit:
    mark, word = mark_case(piece, rules)
    tokens = [] if mark is None else [mark]
    if rules.char_repetition and is_elongated(word) and "/" not in piece and "@" not in piece:
        least = 4 if mark == UPPER or (piece[0].isupper() and piece == word) else 3
        if len(word) >= least and word[0].isalpha() and word == word[0] * len(word):
            return Unit((*tokens, REPEAT, str(len(word)), word[0]), 1)
        word, runs = collapse_elongation(word, least)
        tokens.append(escape(word))
        for length, letter in runs:
            tokens += [REPEAT, str(length), letter]
    else:
        tokens.append(escape(word))
    joints = _joints(piece) if piece[0].isdigit() or "&" in piece else 0
    return Unit(tuple(tokens), 1 + 2 * joints)


def _joints(piece: str) -> int:
    """Count the signs that WikiText sets apart inside a number: `1 @,@ 000`, `12 : 30`."""
    return len(_JOINT.findall(piece))
