"""The rules that a text goes through: one pure function and one switch each.

The set is fastai's (Howard and Ruder 2018, sec. 4.1, "special tokens for upper-case words,
elongation, and repetition"); where a rule of theirs lost information, ours keeps it.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from ulmfit.errors import InputError
from ulmfit.text.specials import CAPITALISED, UPPER


@dataclass(frozen=True)
class Rules:
    """Which rules are on.

    html: repair what exports leave behind (:func:`repair_html`).
    char_repetition: `!!!!` -> `xxrep 4 !`, `loooove` -> `love xxrep 4 o`.
    word_repetition: `no no no` -> `xxwrep 3 no`.
    upper: `GOOD` -> `xxup good`.
    capitalised: `Good` -> `xxmaj good`.
    lower: what case is left is lowered, without a mark (`iPhone` -> `iphone`).
    spaces: every kind of space and line end made one (:func:`normalise_spaces`).
    """

    html: bool = True
    char_repetition: bool = True
    word_repetition: bool = True
    upper: bool = True
    capitalised: bool = True
    lower: bool = True
    spaces: bool = True

    def to_dict(self) -> dict[str, bool]:
        """Return the switches by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, switches: object) -> "Rules":
        """Read :meth:`to_dict`'s result; InputError where a switch is not as it must be."""
        names = [field.name for field in fields(cls)]
        if not isinstance(switches, Mapping) or sorted(map(str, switches)) != sorted(names):
            raise InputError(f"rules: expected an object with exactly the keys {', '.join(names)}")
        for name in names:
            if not isinstance(switches[name], bool):
                raise InputError(f"rules: {name} is {switches[name]!r}; expected true or false")
        return cls(**switches)


#: The paper's three (upper case, elongation, repetition); capitals at a word's start are lowered.
PAPER_RULES = Rules(capitalised=False)

_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_BREAK = re.compile(r"<(?:br|p|hr|/p|/?div|/?li|/?tr|/?ul|/?ol)\s{0,4}/?>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|b|i|u|p|em|strong|div|span|font|table|td|sub|sup|img|code|pre|h[1-6])"
    r"(?:\s{1,4}[a-z-]{1,32}=[^<>]{0,1000})?\s{0,4}/?>",
    re.IGNORECASE,
)
#: Entities that lost their ampersand (AG News is full of them).
_BARE = re.compile(r" ?#(?:39|146|8217);(?=\w)|#(?:39|146|8217);|(?<![\w&])(?:quot|nbsp);|#36;")
#: The two letters `\\n`; alone before a small letter they may be a word's own (`C:\\new`).
_LINE_END = re.compile(r"(?:\\n){2,}|\\n(?![a-z])")
_WIKITEXT = re.compile(r" ?@([-.,])@ ?")


def repair_html(text: str) -> str:
    r"""Repair what web pages and exports leave in a text.

    Entities (`&amp;`, also escaped twice, `#39;` and `quot;` without their ampersand), tags
    (`<br />` and the like become a line end, other common ones go), the two letters `\n` and
    `\"`, and WikiText's ` @-@ `.

    >>> repair_html("It #39;s &lt;b&gt;good&lt;/b&gt;<br />Tom &amp;amp; Ann, 1 @,@ 000")
    "It's good\nTom & Ann, 1,000"
    """
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)
        text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)
    if "#39;" in text or "quot;" in text or "nbsp;" in text or "#146;" in text or "#36;" in text:
        text = _BARE.sub(_bare_entity, text)
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub("\n", text))
    if "\\" in text:
        text = _LINE_END.sub("\n", text).replace('\\"', '"')
    if "@-@" in text or "@,@" in text or "@.@" in text:
        text = _WIKITEXT.sub(r"\1", text)
    return text


def _bare_entity(found: re.Match[str]) -> str:
    return {"quot;": '"', "nbsp;": " ", "#36;": "$"}.get(found[0], "'")


_LINE_ENDS = ("\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
_SPACES = ("\t", "\0", "\x1f", "\xa0", "\u2002", "\u2003", "\u2009", "\u202f", "\u3000")
_NOTHING = ("\xad", "\u200b", "\ufeff", "\u2060")


def normalise_spaces(text: str) -> str:
    r"""Make every line end `\n` and every other space a space; drop zero-width ones.

    >>> normalise_spaces("a\r\nb\u00a0c\u200bd")
    'a\nb cd'
    """
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    for characters, replacement in ((_LINE_ENDS, "\n"), (_SPACES, " "), (_NOTHING, "")):
        for character in characters:
            if character in text:
                text = text.replace(character, replacement)
    return text


def mark_case(word: str, rules: Rules) -> tuple[str | None, str]:
    """Take a word's case apart into a mark (`xxup`, `xxmaj` or None) and the word without it.

    A mark is given only if :func:`restore_case` gives the very word back.

    >>> mark_case("GOOD", Rules()), mark_case("Good", Rules()), mark_case("iPhone", Rules())
    (('xxup', 'good'), ('xxmaj', 'good'), (None, 'iphone'))
    """
    lowered = word.lower()
    if lowered == word:
        return None, word
    if word.isascii() and word.isalpha():
        mark = _plain_mark(word, rules)
        return mark, lowered if mark or rules.lower else word
    capital = sum(map(str.isupper, word[:8])) == 1
    if rules.upper and not capital and _same(restore_case(UPPER, lowered), word):
        return UPPER, lowered
    if rules.capitalised and _same(restore_case(CAPITALISED, lowered), word):
        return CAPITALISED, lowered
    return None, lowered if rules.lower else word


def _plain_mark(word: str, rules: Rules) -> str | None:
    """Return the mark of a word of ASCII letters that are not all small."""
    if len(word) == 1 or word[1:].islower():
        return CAPITALISED if rules.capitalised else None
    return UPPER if rules.upper and word.isupper() else None


def _same(restored: str, word: str) -> bool:
    """Compare words; a letter and its accent may have come apart, as in `İ`, lowered."""
    if restored == word or word.isascii() or len(word) > 64:
        return restored == word
    return unicodedata.normalize("NFC", restored) == word


def restore_case(mark: str, word: str) -> str:
    """Undo :func:`mark_case`: the whole word in capitals, or its first letter."""
    if mark == UPPER:
        return word.upper()
    for place, character in enumerate(word[:8]):
        if character.isalpha():
            return word[:place] + character.upper() + word[place + 1 :]
    return word


_RUN = re.compile(r"([^\W\d_])\1{2,}")


def is_elongated(word: str) -> bool:
    """Say whether a letter stands three times or more in a row.

    >>> is_elongated("loooove"), is_elongated("committee")
    (True, False)
    """
    return _RUN.search(word) is not None


def collapse_elongation(word: str, least: int = 3) -> tuple[str, list[tuple[int, str]]]:
    """Shorten each letter that a word repeats `least` times or more; say how often it stood.

    Three is an elongation, but in capitals (III, AAA) four: there the caller says so. The run is
    written back at the last such letter; where that is not right, nothing is done.

    >>> collapse_elongation("loooove"), collapse_elongation("viii", 4)
    (('love', [(4, 'o')]), ('viii', []))
    """
    runs = [
        (found.end() - found.start(), found[1], found.start())
        for found in _RUN.finditer(word)
        if found.end() - found.start() >= (4 if found[1].isupper() else least)
    ]
    if not runs:
        return word, []
    short, end = [], 0
    for length, _, start in runs:
        short.append(word[end : start + 1])
        end = start + length
    collapsed = "".join(short) + word[end:]
    restored: str | None = collapsed
    for length, letter, _ in runs:
        restored = stretch(restored, length, letter) if restored else None
    if restored != word:
        return word, []
    return collapsed, [(length, letter) for length, letter, _ in runs]


def stretch(word: str, length: int, letter: str) -> str | None:
    """Write the last `letter` of a word `length` times; None if it is not there just once.

    >>> stretch("love", 4, "o")
    'loooove'
    """
    place = word.rfind(letter)
    if place < 0 or word[place - 1 : place] == letter:
        return None
    return word[:place] + letter * length + word[place + 1 :]
