"""Parquet, read in record batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

BATCH = 256  # rows in memory; they may be whole articles
READ_BUFFER = 1 << 20  # bytes; without one, a whole column chunk is read at once


def open_parquet(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """A Parquet file.

    Raises:
        InputError: it is no Parquet file, has no rows, or no such columns, or the text
            column holds something other than strings.
    """
    with _open(path) as file:
        schema = file.schema_arrow
        if file.metadata.num_rows == 0:
            raise InputError(f"{path}: the file has no rows")
    names = tuple(schema.names)
    columns = choose_columns(names, text, label, str(path))
    for name in columns.text:
        if not is_text(schema.field(name).type):
            kind = schema.field(name).type
            raise InputError(f"{path}: column {name!r} holds {kind}, not strings (--text)")
    return Source(path, "parquet", names, columns, lambda: _records(path), unit="row")


def _open(path: Path) -> Any:
    try:
        return pq.ParquetFile(path, buffer_size=READ_BUFFER, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not a whole Parquet file ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds strings."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _records(path: Path) -> Iterator[Record | BadRow]:
    number = 0
    with _open(path) as file:
        batches = file.iter_batches(batch_size=BATCH)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{path}: damaged after row {number} ({error})") from error
            if batch is None:
                return
            for fields in rows_of(batch):
                number += 1
                if isinstance(fields, dict):
                    yield Record(fields, str(path), number)
                else:
                    yield BadRow(f"{path}, row {number}: a string that is not UTF-8 ({fields})")


def rows_of(batch: Any) -> Iterator[dict[str, object] | UnicodeDecodeError]:
    """The rows of a record batch; for one with a string that is not UTF-8, the error."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:  # one bad row: find out which
        for i in range(batch.num_rows):
            try:
                yield batch.slice(i, 1).to_pylist()[0]
            except UnicodeDecodeError as error:
                yield error
