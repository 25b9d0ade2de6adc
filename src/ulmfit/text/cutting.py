"""Surface form -> parts that can be looked up one by one: how new forms are learned fast.

Why it is fast: forms are many (`film`, `(film`, `film.)`), the words and signs in them few. Only a
part that is new goes through `units.word_units`, which says what a form becomes; a form that is
cut here has the units of its parts, and one that needs a closer look is not cut.
"""

import re

from ulmfit.text.rules import Rules
from ulmfit.text.units import Unit, ends_abbreviated, word_units
from ulmfit.text.words import piece_pattern

#: Nothing but letters (class L of `characters.py`): Latin, Greek, Cyrillic, Hebrew, Arabic, Hangul.
LETTERS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0388-\u038a\u038e-\u03a1\u03a3-\u03f5"
    "\u0400-\u0481\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\uac00-\ud7a3"
)
#: Signs that never join their neighbours but the like of them, the commonest first.
SIGNS = (
    ',.)"(-?!:;/*%$=#+[]>|~{}`^\u2013\u201c\u201d\u2014\u2026\u201e\u00ab\u00bb\u00a3\u20ac\u00b0'
)

_EACH = f"[{LETTERS}0-9{re.escape(SIGNS)}]"
_PART = re.compile(piece_pattern(LETTERS, "0-9") + "".join(f"|{re.escape(s)}+" for s in SIGNS))
#: One apostrophe at most, behind two letters: English `n't` looks at what stands before it.
_SIMPLE = re.compile(f"{_EACH}+(?:(?<=[A-Za-z]{{2}})'[A-Za-z]{_EACH}*)?")


def cut(form: str) -> list[str] | None:
    """Cut a surface form into words and runs of one sign; None where that takes a closer look.

    >>> cut("(don't!!"), cut("R&B")
    (['(', "don't", '!!'], None)
    """
    if _SIMPLE.fullmatch(form) is None or "://" in form or "www." in form or form == "-":
        return None
    if form[-1] == "." and ends_abbreviated(form):
        return None
    return _PART.findall(form)


def part_units(part: str, rules: Rules) -> tuple[Unit, ...]:
    """Return the units of one of :func:`cut`'s parts, where a hyphen is no dash."""
    return (Unit((part,), 1),) if part == "-" else word_units(part, rules)
