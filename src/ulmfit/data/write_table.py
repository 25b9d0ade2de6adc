"""A few rows that fit in memory -> a file that is whole or not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from ulmfit.data.column_types import Types
from ulmfit.data.encodings import WRITERS
from ulmfit.data.write_rows import format_of, free_name
from ulmfit.files import check_destination, write_atomically


def check_table(path: Path) -> None:
    """Raise InputError now for what would go wrong in `write_table`: the format, the folder."""
    format_of(path)
    check_destination(path)


def write_table(
    path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str] = ()
) -> None:
    """Write rows as .csv, .tsv, .jsonl or .parquet, whichever the name says.

    Args:
        path: replaced if it is there.
        rows: each may lack some columns; where it does, a cell is empty.
        columns: come first, and stand there even if no row has them.

    Raises:
        InputError: as `check_table`.
        OSError: a full disk and the like; what was at `path` stays.
    """
    check_table(path)
    held = list(rows)
    names = list(dict.fromkeys([*columns, *(name for row in held for name in row)]))
    format, types, stream = format_of(path), Types(), BytesIO()
    for row in held if format == "parquet" else ():
        types.add(row)
    sink = WRITERS[format](stream, names, types)
    for row in held:
        sink.add(row)
    sink.finish()
    write_atomically(path, stream.getvalue())


def new_names(names: Sequence[str], taken: Iterable[str]) -> list[str]:
    """What new columns are called beside those of the input, which keep their names."""
    used = set(taken)
    return [free_name(name, used) for name in names]
