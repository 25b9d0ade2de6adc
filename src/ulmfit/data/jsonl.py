"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ulmfit.data.columns import Columns, LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

LOOK_AHEAD = 100  # rows whose keys are taken for the columns


def open_jsonl(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A JSONL file; its columns are the keys of the first rows.

    Raises:
        InputError: it is empty, cannot be read, has no good row, or no such columns.
    """
    first = list(islice(_records(path), LOOK_AHEAD))
    if not first:
        raise InputError(f"{path}: the file is empty; expected one JSON object a line")
    names = tuple(
        dict.fromkeys(n for item in first if isinstance(item, Record) for n in item.fields)
    )
    if not names:
        bad = next((item.message for item in first if isinstance(item, BadRow)), "no keys")
        raise InputError(f"{bad} (and no good row before line {len(first) + 1})")
    columns = choose_columns(names, text, label, str(path))
    if label is None and columns.label is None:
        columns = Columns(columns.text, "label")  # a later row may have one
    return Source(path, "jsonl", names, columns, lambda: _records(path))


def _records(path: Path) -> Iterator[Record | BadRow]:
    lines = Lines(path)
    for line in lines:
        if (complaint := lines.complaint()) is not None:
            yield BadRow(complaint)
        elif not line.isspace():
            yield _record(line, str(path), lines.number)


def _record(line: str, file: str, number: int) -> Record | BadRow:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(f"{file}, line {number}: not JSON ({error})")
    if not isinstance(value, dict):
        return BadRow(
            f"{file}, line {number}: a JSON {type(value).__name__}, not an object {{...}}; "
            "JSON lines are read: one object a line, with no list around them"
        )
    return Record(value, file, number)
