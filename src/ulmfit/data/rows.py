"""What a source of texts gives: rows, and reports of rows that are no good."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ulmfit.data.columns import Columns
from ulmfit.errors import InputError


@dataclass(frozen=True, slots=True)
class Row:
    """One text with what came beside it.

    `label` is None where the row has none. `fields` holds every original column in order.
    `line` counts from 1: the line the row starts on, or its row number in a Parquet file.
    """

    text: str
    label: str | None
    fields: dict[str, object]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """The columns of one row as the format gives them, not yet looked at."""

    fields: dict[str, object]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used; the message says in which file and line, and why."""

    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one tree of class folders, opened far enough to know its columns."""

    path: Path
    format: str
    names: tuple[str, ...]
    columns: Columns
    records: Callable[[], Iterator[Record | BadRow]]
    unit: str = "line"  # what Record.line counts


def to_row(record: Record, source: Source) -> Row | BadRow:
    """Pick text and label out of a record."""
    try:
        text = _text(record.fields, source.columns.text)
        label = _label(record.fields, source.columns.label)
    except InputError as error:
        return BadRow(f"{record.file}, {source.unit} {record.line}: {error}")
    return Row(text, label, record.fields, record.file, record.line)


def _text(fields: dict[str, object], names: tuple[str, ...]) -> str:
    """Text columns joined by a newline; an empty one among several is left out."""
    parts = []
    for name in names:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"column {name!r} holds {_kind(value)}, not text")
        if value and not value.isspace():
            parts.append(value)
    if not parts:
        raise InputError(f"there is no text in column {' or '.join(map(repr, names))}")
    return "\n".join(parts)


def _label(fields: dict[str, object], name: str | None) -> str | None:
    """The label as a string, the same one whichever format it came from (1, 1.0 and "1")."""
    value = fields.get(name) if name is not None else None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple | dict | bytes):
        raise InputError(f"column {name!r} holds {_kind(value)}, not one label")
    return str(value).strip() or None


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", bytes: "bytes", bool: "true or false"}
    return names.get(type(value), f"a value of type {type(value).__name__}")
