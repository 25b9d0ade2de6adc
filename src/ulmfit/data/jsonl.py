"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ulmfit.data.columns import NO_LABEL, LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

LOOK_AHEAD = 100  # rows whose keys are taken for the columns if all wanted is there


def open_jsonl(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A JSONL file; its columns are the keys of the first rows.

    Where those lack the text or the label, they are the keys of all rows: often the unlabelled
    rows come first, and leave the key out.

    Raises:
        InputError: it is empty, cannot be read, has no good row, or no such columns.
    """
    first = list(islice(_records(path), LOOK_AHEAD))
    if not first:
        raise InputError(f"{path}: the file is empty; expected one JSON object a line")
    names = _keys(first)
    if not names:
        bad = next((item.message for item in first if isinstance(item, BadRow)), "no keys")
        raise InputError(f"{bad} (and no good row before line {len(first) + 1})")
    if len(first) == LOOK_AHEAD and not _suffices(names, text, label):
        names = _keys(_records(path))
    columns = choose_columns(names, text, label, str(path))
    return Source(path, "jsonl", names, columns, lambda: _records(path))


def _keys(items: Iterable[Record | BadRow]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(n for item in items if isinstance(item, Record) for n in item.fields)
    )


def _suffices(names: Sequence[str], text: Sequence[str] | None, label: LabelColumns) -> bool:
    """Whether the text and the label are among these keys, or no label is wanted."""
    try:
        columns = choose_columns(names, text, label, "")
    except InputError:
        return False
    return columns.label is not None or label == NO_LABEL


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
