"""Files read as lines of text, remembering which line could not be decoded."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ulmfit.errors import InputError

UTF8_BOM = b"\xef\xbb\xbf"
MARKS = {  # the longer ones first: UTF-32's begins as UTF-16's
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class Lines:
    """The lines of a file, their ends kept, split at newlines only; .gz is unpacked on the way.

    A line that cannot be decoded is given with its bad bytes as lone surrogates, and
    `complaint()` then tells what was wrong since it was last asked.

    Args:
        path: the file.
        encoding: of the file; a UTF-8 byte order mark is dropped.

    Raises:
        InputError: while iterating, if the file cannot be read or is UTF-16.
    """

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self.path = path
        self.encoding = encoding
        self.number = 0  # lines given so far
        self._complaint: str | None = None

    def __iter__(self) -> Iterator[str]:
        """Give each line as text."""
        offset = 0
        for raw in _raw_lines(self.path):
            self.number += 1
            if self.number == 1:
                self._refuse_wide(raw)
                raw, before = raw.removeprefix(UTF8_BOM), len(raw)
                offset = before - len(raw)
            try:
                yield raw.decode(self.encoding)
            except UnicodeDecodeError as error:
                said = self._describe(raw[error.start], offset + error.start)
                self._complaint = self._complaint or said
                yield raw.decode(self.encoding, "surrogateescape")
            offset += len(raw)

    def complaint(self) -> str | None:
        """What could not be decoded since the last call, or None."""
        said, self._complaint = self._complaint, None
        return said

    def _refuse_wide(self, raw: bytes) -> None:
        form = _wide(raw)
        if form is not None:
            raise InputError(
                f"{self.path}: the file is {form}, not UTF-8. Convert it: "
                f"iconv -f {form} -t UTF-8 {self.path.name} > utf8-{self.path.name}"
            )

    def _describe(self, byte: int, offset: int) -> str:
        return (
            f"{self.path}, line {self.number}: byte 0x{byte:02x} at offset {offset} of the file "
            f"is not UTF-8. If the file has another encoding, convert it, for example: "
            f"iconv -f WINDOWS-1252 -t UTF-8 {self.path.name} > utf8-{self.path.name}"
        )


def _wide(line: bytes) -> str | None:
    """The name of the UTF-16 or -32 that a file begins with; a mark says so, or NULs by turns."""
    for mark, form in MARKS.items():
        if line.startswith(mark):
            return form
    even, odd = (line[first::2].count(0) for first in (0, 1))
    if abs(even - odd) * 4 < len(line):  # half of every second byte, and few between
        return None
    return "UTF-16BE" if even > odd else "UTF-16LE"


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with _open(path) as stream:
            yield from stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the gzip file is broken ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
