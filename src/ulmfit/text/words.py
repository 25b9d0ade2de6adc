"""One whitespace-delimited surface form -> its words and signs."""

import re
from collections.abc import Iterator

from ulmfit.text.characters import CLASSES
from ulmfit.text.specials import UNKNOWN_TEXT

#: Endings that English writes with an apostrophe; `n't` is split off as spaCy and Moses do.
CONTRACTIONS = frozenset(["'s", "'re", "'ve", "'ll", "'d", "'m", "n't"])


def piece_pattern(letter: str, digit: str) -> str:
    """Return the pattern of pieces longer than one sign; the order matters.

    letter, digit: the characters of these classes, as they stand between square brackets.
    """
    both = f"[{letter}{digit}]"
    letter, digit = f"[{letter}]", f"[{digit}]"
    return (
        rf"(?:{letter}\.){{2,}}(?:{letter}(?!{both}))?"  # U.S.  e.g.  p.m.
        rf"|{letter}{{1,2}}&{letter}{{1,2}}(?!{both})"  # R&B  AT&T
        rf"|{digit}+(?:[.,:]{digit}+)+"  # 3.14  1,000  12:30
        rf"|{both}+(?:'{both}+)*"  # word  don't  l'homme  1990s
        rf"|'{letter}{{1,2}}(?![{both[1:-1]}'])"  # 's 'll
    )


#: Over the classes of `characters.py`.
_PIECE = re.compile(piece_pattern("L", "D") + "|.")
_WHOLE = re.compile(  # kept in one piece: addresses of pages and of mail, WikiText's <unk>
    r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\"'.,;:!?()\[\]]"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}"
    r"|" + re.escape(UNKNOWN_TEXT)
)
_NOT = re.compile(r"n['\u2019]t(?!\w)", re.IGNORECASE)


def pieces(surface: str) -> Iterator[str]:
    """Split a surface form into words, numbers and signs; nothing is lost but which apostrophe.

    Hyphens and slashes split, apostrophes split as in English (`do n't`, `dog 's`) or, where no
    English ending stands, after them (`l' homme`); Han and kana stand one by one.

    >>> list(pieces("(don't")), list(pieces("well-known,")), list(pieces("U.S."))
    (['(', 'do', "n't"], ['well', '-', 'known', ','], ['U.S.'])
    """
    if "://" in surface or "@" in surface or "www." in surface or UNKNOWN_TEXT in surface:
        yield from _around_wholes(surface)
    else:
        yield from _plain(surface)


def _around_wholes(surface: str) -> Iterator[str]:
    end = 0
    for whole in _WHOLE.finditer(surface):
        yield from _plain(surface[end : whole.start()])
        yield whole[0]
        end = whole.end()
    yield from _plain(surface[end:])


def _plain(surface: str) -> Iterator[str]:
    start = 0
    negation = _NOT.match(surface)
    if negation:  # a text that came tokenised: `do n't`
        yield negation[0].replace("\u2019", "'")
        start = negation.end()
    classes = surface.translate(CLASSES)
    for found in _PIECE.finditer(classes, start):
        piece = surface[found.start() : found.end()]
        if "'" in found[0] and len(piece) > 1:
            yield from _apostrophes(piece.replace("\u2019", "'"))
        else:
            yield piece


def _apostrophes(word: str) -> Iterator[str]:
    *heads, last = word.split("'")
    stem, ending = heads.pop(), "'" + last
    if not stem and not heads:
        yield from (word,) if word.lower() in CONTRACTIONS else ("'", last)
        return
    for head in heads:
        yield head + "'"
    if last.lower() == "t" and stem[-1:].lower() == "n" and len(stem) > 1:
        yield from (stem[:-1], stem[-1] + ending)
    elif ending.lower() in CONTRACTIONS:
        yield from (stem, ending)
    else:
        yield from (stem + "'", last)
