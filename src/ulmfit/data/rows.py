"""What a source of texts gives: rows, and reports of rows that are no good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ulmfit.data.columns import Columns
from ulmfit.data.labels import Label, Reading, kind_of, label_of, weight_of
from ulmfit.errors import InputError


@dataclass(frozen=True, slots=True)
class Row:
    """One text with what came beside it.

    `label` is None where the row has none, and a tuple where a row may have several. `fields`
    holds every original column in order. `line` counts from 1: the line the row starts on, or
    its row number in a Parquet file. `weight` counts where the row has a label.
    """

    text: str
    label: Label | None
    fields: dict[str, object]
    file: str
    line: int
    weight: float = 1.0


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
    with_blanks: Callable[[], Iterator[Record | BadRow]] | None = None
    """the records and the blank ones between them, where `records` leaves those out"""


def to_row(record: Record, source: Source, reading: Reading) -> Row | BadRow:
    """Pick text, label and (of a labelled row) weight out of a record."""
    weight = 1.0
    try:
        text = _text(record.fields, source.columns.text, reading.blank_texts)
        label = label_of(record.fields, source.columns.label, reading.separator)
        if reading.weight is not None and label is not None:
            weight = weight_of(record.fields, reading.weight)
    except InputError as error:
        return BadRow(f"{record.file}, {source.unit} {record.line}: {error}")
    return Row(text, label, record.fields, record.file, record.line, weight)


def _text(fields: dict[str, object], names: tuple[str, ...], blank: bool) -> str:
    """Text columns joined by a newline; an empty one among several is left out."""
    parts = []
    for name in names:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"column {name!r} holds {kind_of(value)}, not text")
        if value and not value.isspace():
            parts.append(value)
    if not parts and not blank:
        raise InputError(f"there is no text in column {' or '.join(map(repr, names))}")
    return "\n".join(parts)
