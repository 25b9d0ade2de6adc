"""How a row is put into a CSV, TSV, JSONL or Parquet file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ulmfit.data.column_types import Fields, Types, array_of, encodable, storable, type_of
from ulmfit.data.finite import as_json, plain
from ulmfit.errors import InputError

GROUP = 1024  # rows held before they go into a Parquet row group


class RowSink(Protocol):
    """Takes rows, and at the end whatever the format needs after the last."""

    def add(self, row: Fields) -> None:
        """Write one row."""
        ...

    def finish(self) -> None:
        """Write what is left; the stream stays open."""
        ...

    def abandon(self) -> None:
        """Let go of the stream; what was written is of no use."""
        ...


class _Table:
    """CSV and TSV; None is an empty cell, lists and objects are JSON.

    A row with a carriage return is quoted whole: before Python 3.13 the module csv leaves such a
    cell bare, and readers take the character for the end of the row.
    """

    def __init__(
        self, stream: BinaryIO, columns: Sequence[str], types: Types | None, delimiter: str
    ) -> None:
        # A lone surrogate is no UTF-8: it is written as its escape, \udc80.
        self._text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="")
        writer = partial(csv.writer, self._text, delimiter=delimiter, lineterminator="\n")
        self._writer, self._quoting = writer(), writer(quoting=csv.QUOTE_ALL)
        self._columns = list(columns)
        self._write(self._columns)

    def add(self, row: Fields) -> None:
        _refuse_new(row, self._columns)
        self._write([_cell(row.get(name)) for name in self._columns])

    def _write(self, cells: Sequence[object]) -> None:
        returns = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._quoting if returns else self._writer).writerow(cells)

    def finish(self) -> None:
        self._text.detach()  # writes what is buffered, and leaves the stream to its owner

    def abandon(self) -> None:
        pass


class _JsonLines:
    """Rows may differ in their columns."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str], types: Types | None) -> None:
        self._stream = stream

    def add(self, row: Fields) -> None:
        try:
            line = as_json(row).encode()
        except UnicodeEncodeError:  # a lone surrogate: JSON can escape it
            line = as_json(row, ascii_only=True).encode()
        self._stream.write(line + b"\n")

    def finish(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class _Parquet:
    """Columns whose types were not told have those of the first rows.

    A later value that such a column cannot hold as it is, is refused.
    """

    def __init__(self, stream: BinaryIO, columns: Sequence[str], types: Types | None) -> None:
        self._stream = stream
        self._columns = list(columns)
        self._types = types or Types()
        self._rows: list[list[object]] = []
        self._writer: Any = None

    def add(self, row: Fields) -> None:
        _refuse_new(row, self._columns)
        self._rows.append([encodable(row.get(name)) for name in self._columns])
        if len(self._rows) == GROUP:
            self._flush()

    def finish(self) -> None:
        if self._rows or self._writer is None:
            self._flush()
        self._writer.close()

    def abandon(self) -> None:
        if self._writer is not None:
            with suppress(OSError, ValueError, pa.ArrowException):
                self._writer.close()
            self._writer.is_open = False  # or it tries again when it is collected

    def _flush(self) -> None:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._columns)
        if self._writer is None:
            schema = pa.schema(list(map(self._field, self._columns, columns)))
            self._writer = pq.ParquetWriter(self._stream, schema)
        arrays = list(map(array_of, columns, self._writer.schema))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._writer.schema))
        self._rows.clear()

    def _field(self, name: str, values: Sequence[object]) -> Any:
        told = self._types.of(name)
        kind = storable(type_of(values) if told is None else told)
        return pa.field(encodable(name), kind)


WRITERS: dict[str, Callable[[BinaryIO, Sequence[str], Types | None], RowSink]] = {
    "csv": partial(_Table, delimiter=","),
    "tsv": partial(_Table, delimiter="\t"),
    "jsonl": _JsonLines,
    "parquet": _Parquet,
}


def _refuse_new(row: Fields, columns: Sequence[str]) -> None:
    if new := [name for name in row if name not in columns]:
        raise InputError(
            f"column {new[0]!r} came after the first row, which lacks it; "
            "write .jsonl, where rows may differ"
        )


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return as_json(value)
    return plain(value) if isinstance(value, bytes) else value
