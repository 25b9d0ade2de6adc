"""Plain text files: documents set apart by blank lines, or a document a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

# A longer block is cut at a line's end, so that a file without blank lines fits in memory.
MAX_BLOCK = 1_000_000  # characters


def open_text(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A text file; a blank line ends a document."""
    columns = choose_columns(("text",), text, label, str(path))
    return Source(path, "text", ("text",), columns, lambda: _blocks(path))


def open_text_files(
    folder: Path, files: Sequence[Path], text: Sequence[str] | None, label: LabelColumns
) -> Source:
    """Text files of one folder, each one a document."""
    names = ("file", "text")
    columns = choose_columns(names, text, label, str(folder))
    return Source(folder, "text", names, columns, lambda: _whole(folder, files))


def read_document(path: Path) -> str | BadRow:
    """The text of a whole file, or what is wrong with it."""
    lines = Lines(path)
    try:
        text = _tidy("".join(lines))
    except InputError as error:  # UTF-16, no permission: of many documents one is no good
        return BadRow(str(error))
    complaint = lines.complaint()
    return text if complaint is None else BadRow(complaint)


def _whole(folder: Path, files: Sequence[Path]) -> Iterator[Record | BadRow]:
    for path in files:
        text = read_document(path)
        if isinstance(text, BadRow):
            yield text
        else:
            name = path.relative_to(folder).as_posix()
            yield Record({"file": name, "text": text}, str(path), 1)


def _blocks(path: Path) -> Iterator[Record | BadRow]:
    lines = Lines(path)
    block: list[str] = []
    start = size = 0
    complaint: str | None = None
    for line in lines:
        if block and (line.isspace() or size + len(line) > MAX_BLOCK):
            yield _block(path, block, start, complaint)
            block, size, complaint = [], 0, None
        if not line.isspace():
            start = start if block else lines.number
            block.append(line)
            size += len(line)
            said = lines.complaint()  # asked of every line, or the next block is charged with it
            complaint = complaint or said
    if block:
        yield _block(path, block, start, complaint)


def _block(path: Path, block: list[str], start: int, complaint: str | None) -> Record | BadRow:
    if complaint is not None:
        return BadRow(complaint)
    return Record({"text": _tidy("".join(block))}, str(path), start)


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
