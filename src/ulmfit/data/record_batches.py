"""Arrow's record batches, which Parquet is read in too -> rows of plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from ulmfit.data.class_labels import Renames, renamed
from ulmfit.data.rows import BadRow, Record
from ulmfit.errors import InputError

BATCH = 256  # rows in memory; they may be whole articles


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds strings."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def records_of(
    path: Path,
    files: Sequence[Path],
    batches: Callable[[Path], Iterable[Any]],
    renames: Renames,
) -> Iterator[Record | BadRow]:
    """The rows of the files that `path` is or holds, one after another.

    Args:
        path: what the rows are told by, with their number in all files.
        files: in order.
        batches: opens a file; its record batches have at most `BATCH` rows.
        renames: how class labels are told by name.

    Raises:
        InputError: a file is damaged.
    """
    number = 0
    for file in files:
        try:
            for fields in chain.from_iterable(map(_rows, batches(file))):
                number += 1
                if isinstance(fields, dict):
                    yield Record(renamed(fields, renames), str(path), number)
                else:
                    yield BadRow(f"{path}, row {number}: {_explain(fields)}")
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file}: damaged after row {number} ({error})") from error


def _explain(error: Exception) -> str:
    is_string = isinstance(error, UnicodeDecodeError)
    what = "a string that is not UTF-8" if is_string else "a value that cannot be read"
    return f"{what} ({error})"


def _rows(batch: Any) -> Iterator[dict[str, object] | Exception]:
    """The rows of a record batch; for one that has no plain values, the error."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):  # a time or a string of one row: find out which
        batch = _with_told_times(batch)
        for i in range(batch.num_rows):
            try:
                yield batch.slice(i, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield error


def _with_told_times(batch: Any) -> Any:
    """The batch with strings in columns of times, where one of them is none in Python.

    There the year 9999 is the last, in its own time zone too, and a microsecond has no parts
    (pyarrow asks for pandas then).
    """
    for place, field in enumerate(batch.schema):
        told = _told(field.type)
        if told != field.type and not _is_plain(batch.column(place)):
            batch = batch.set_column(place, field.name, batch.column(place).cast(told))
    return batch


def _is_plain(column: Any) -> bool:
    try:
        column.to_pylist()
    except (ValueError, OverflowError):
        return False
    return True


def _told(kind: Any) -> Any:
    """The type of a column once its times are strings, those in lists and objects too."""
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_told(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _told(field.type)) for field in kind])
    return kind
