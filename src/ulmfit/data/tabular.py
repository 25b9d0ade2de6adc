"""CSV and TSV, with a header, and the headerless CSV of Zhang et al. (2015)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

# A quote that is never closed would take the rest of the file for one field; stop there.
MAX_FIELD = 1 << 26  # characters
# "Character-level Convolutional Networks for Text Classification", the data's readme.txt.
ZHANG_NAMES = {
    2: ("class", "text"),
    3: ("class", "title", "description"),
    4: ("class", "title", "question", "answer"),
}
Cells = list[str]
Split = Callable[[Lines], Iterator[tuple[int, Cells] | BadRow]]


def open_table(
    path: Path,
    text: Sequence[str] | None,
    label: LabelColumns,
    delimiter: str = ",",
    quoted: bool = True,
) -> Source:
    """A CSV or TSV file with a header; `;` and tab in its place are recognised in a .csv.

    Raises:
        InputError: it is empty, cannot be read, or has no such columns.
    """
    kind = "csv" if delimiter == "," else "tsv"
    split = partial(_split, delimiter=delimiter, quoted=quoted)
    header = _first(path, split)
    if delimiter == "," and len(header) == 1:
        delimiter = next((mark for mark in ";\t" if mark in header[0]), ",")
        split = partial(_split, delimiter=delimiter, quoted=quoted)
        header = _first(path, split)
    names = _told_apart(header)
    columns = choose_columns(names, text, label, str(path))
    return Source(path, kind, names, columns, lambda: _records(path, names, split, True))


def open_zhang(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A CSV of Zhang et al. without a header: class, title, description (or class, text).

    Title and description are joined unless the user names one of them.

    Raises:
        InputError: it is empty or cannot be read, or its first row does not fit.
    """
    split = partial(_split, delimiter=",", quoted=True)
    first = _first(path, split)
    if not fits_zhang(first):
        raise InputError(
            f"{path}, line 1: expected a class number, title, description; got {first}"
        )
    names = ZHANG_NAMES[len(first)]
    columns = choose_columns(
        names, text or names[1:], "class" if label is None else label, str(path)
    )
    return Source(path, "zhang-csv", names, columns, lambda: _records(path, names, split, False))


def is_zhang(path: Path) -> bool:
    """Whether the first row is one of Zhang et al.'s and no header."""
    return fits_zhang(_first(path, partial(_split, delimiter=",", quoted=True)))


def fits_zhang(cells: Cells) -> bool:
    """Whether cells are a class number and then text."""
    number, *rest = cells
    return (
        len(cells) in ZHANG_NAMES
        and re.fullmatch(r"\d{1,3}", number) is not None
        and not any(re.fullmatch(r"[\d.]*", cell) for cell in rest[-1:])
    )


def _told_apart(header: Cells) -> tuple[str, ...]:
    """The header with a name by its place for each of several that have none.

    A spreadsheet leaves such columns behind the last one that is filled.
    """
    if sum(not name.strip() for name in header) < 2:
        return tuple(header)
    return tuple(name if name.strip() else f"column {i}" for i, name in enumerate(header, 1))


def _first(path: Path, split: Split) -> Cells:
    for item in split(Lines(path)):
        if isinstance(item, BadRow):
            raise InputError(item.message)
        return item[1]
    raise InputError(f"{path}: the file is empty; expected a header and rows")


def _records(
    path: Path, names: tuple[str, ...], split: Split, header: bool
) -> Iterator[Record | BadRow]:
    items = split(Lines(path))
    if header:
        next(items)
    two_columns = not header and len(names) == 2
    for item in items:
        if isinstance(item, BadRow):
            yield item
            continue
        line, cells = item
        if len(cells) != len(names):
            yield BadRow(f"{path}, line {line}: {len(cells)} columns where {len(names)} belong")
        else:
            cells = [_unescape(cell) for cell in cells] if two_columns else cells
            yield Record(dict(zip(names, cells, strict=True)), str(path), line)


def _unescape(cell: str) -> str:
    r"""Undo `\n` and `\"` in Zhang et al.'s reviews (their readme.txt); the news sets have none."""
    return cell.replace("\\n", "\n").replace('\\"', '"')


def _split(lines: Lines, delimiter: str, quoted: bool) -> Iterator[tuple[int, Cells] | BadRow]:
    """Rows with the line that each starts on; empty lines are passed over."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(iter(lines), delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        line = lines.number + 1
        limit = csv.field_size_limit(MAX_FIELD)  # a global of the csv module: put it back
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.complaint()
            yield BadRow(f"{lines.path}, line {line}: {_explain(error, line, delimiter)}")
            continue
        finally:
            csv.field_size_limit(limit)
        if (complaint := lines.complaint()) is not None:
            yield BadRow(complaint)
        elif cells:
            yield line, cells


def _explain(error: csv.Error, line: int, delimiter: str) -> str:
    said = str(error)
    unquoted = "; if quotes are part of the text here, say --format tsv-unquoted"
    advice = unquoted if delimiter == "\t" else ""
    if "unexpected end" in said or "field limit" in said:
        return f"a quote that opens in the row of line {line} is never closed{advice}"
    if "expected after" in said:
        return f'a quote inside a quoted field must be doubled ("") ({said}){advice}'
    if "new-line character" in said:
        return "a carriage return outside quotes; save the file with \\n or \\r\\n line ends"
    return f"not CSV ({said})"
