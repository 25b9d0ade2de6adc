"""Characters by class, so that one small ASCII pattern splits words of every script."""

import unicodedata

#: (first, last) of scripts written without spaces whose characters stand as words: Han and kana.
_SINGLE = (
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
_OWN = {
    **{ord(character): character for character in ".,:-&"},
    ord("'"): "'",
    0x2019: "'",
    0x2010: "-",
    0x2011: "-",
    0x200C: "L",  # zero-width (non-)joiner: part of a word in Persian and the Indic scripts
    0x200D: "L",
}


class CharacterClasses:
    """A table for `str.translate`: letter L, digit D, Han or kana C, other P, `.,:-&'` themselves.

    Combining marks count as letters. Classes are looked up once and remembered.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = dict(_OWN)

    def __getitem__(self, code: int) -> str:
        """Return the class of a code point, one character long."""
        found = self._known.get(code)
        if found is None:
            found = self._known[code] = _classify(code)
        return found


def _classify(code: int) -> str:
    category = unicodedata.category(chr(code))[0]
    if category in "LN" and any(first <= code <= last for first, last in _SINGLE):
        return "C"
    return {"L": "L", "M": "L", "N": "D"}.get(category, "P")


CLASSES = CharacterClasses()


def is_single(character: str) -> bool:
    """Say whether a character stands as a word of its own, written without spaces."""
    return CLASSES[ord(character)] == "C"
