"""Tokens of the subword tokenizer -> the text that they came from."""

import re
from collections.abc import Iterator, Sequence

from ulmfit.text.characters import CLASSES
from ulmfit.text.rules import restore_case
from ulmfit.text.specials import (
    CAPITALISED,
    SPECIALS,
    UNKNOWN,
    UNKNOWN_TEXT,
    UPPER,
    unescape,
)

#: Opens a word, in place of the space before it.
SPACE = "\u2581"
#: What stands for the characters that are no pieces: their UTF-8 bytes.
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]

_NUMBERS = {piece: byte for byte, piece in enumerate(BYTES)}
_CASED = re.compile("[LC]+|D")
_SILENT = frozenset(SPECIALS) - {UNKNOWN, UPPER, CAPITALISED}


def to_text(tokens: Sequence[str]) -> str:
    """Join pieces, bytes and case marks into text.

    >>> to_text(["xxmaj", "\u2581ca", "f", "<0xC3>", "<0xA9>", "!"])
    'Café!'
    """
    written = "".join(
        _with_case(mark, _joined(pieces)) for mark, pieces in _marked(tokens) if pieces
    )
    return re.sub(r"(^|\n) ", r"\1", written.replace(SPACE, " "))


def _marked(tokens: Sequence[str]) -> Iterator[tuple[str | None, list[str]]]:
    """Yield the pieces that follow each case mark, up to the next one."""
    mark: str | None = None
    pieces: list[str] = []
    for token in tokens:
        if token in (UPPER, CAPITALISED):
            yield mark, pieces
            mark, pieces = token, []
        elif token not in _SILENT:
            pieces.append(SPACE + UNKNOWN_TEXT if token == UNKNOWN else unescape(token))
    yield mark, pieces


def _joined(pieces: list[str]) -> str:
    """Join pieces, reading runs of bytes as UTF-8; bytes that are none become U+FFFD."""
    out: list[str] = []
    run = bytearray()
    for piece in pieces:
        byte = _NUMBERS.get(piece)
        if byte is not None:
            run.append(byte)
            continue
        out += [run.decode(errors="replace"), piece]
        run.clear()
    return "".join(out) + run.decode(errors="replace")


def _with_case(mark: str | None, written: str) -> str:
    """Write the first run of letters, as the tokenizer made runs, in its case."""
    found = _CASED.search(written.translate(CLASSES)) if mark else None
    if mark is None or found is None:
        return written
    start, end = found.span()
    return written[:start] + restore_case(mark, written[start:end]) + written[end:]
