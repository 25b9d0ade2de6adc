"""Parquet, read in record batches; a `ClassLabel` of `datasets` comes as its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ulmfit.data.class_labels import renames_in
from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.record_batches import BATCH, is_text, records_of
from ulmfit.data.rows import Source
from ulmfit.errors import InputError

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
    records = partial(records_of, path, [path], _batches, renames_in(schema))
    return Source(path, "parquet", names, columns, records, "row")


def _open(path: Path) -> Any:
    try:
        return pq.ParquetFile(path, buffer_size=READ_BUFFER, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: not a whole Parquet file ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _batches(path: Path) -> Iterator[Any]:
    with _open(path) as file:
        yield from file.iter_batches(batch_size=BATCH)
