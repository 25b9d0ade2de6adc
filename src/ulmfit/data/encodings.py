"""How a row is put into a CSV, TSV, JSONL or Parquet file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ulmfit.errors import InputError

Fields = Mapping[str, object]
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
    """CSV and TSV; None is an empty cell, lists and objects are JSON."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str], delimiter: str) -> None:
        # A lone surrogate is no UTF-8: it is written as its escape, \udc80.
        self._text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\n")
        self._columns = list(columns)
        self._writer.writerow(self._columns)

    def add(self, row: Fields) -> None:
        _refuse_new(row, self._columns)
        self._writer.writerow([_cell(row.get(name)) for name in self._columns])

    def finish(self) -> None:
        self._text.detach()  # writes what is buffered, and leaves the stream to its owner

    def abandon(self) -> None:
        pass


class _JsonLines:
    """Rows may differ in their columns."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream

    def add(self, row: Fields) -> None:
        try:
            line = _json(row).encode()
        except UnicodeEncodeError:  # a lone surrogate: JSON can escape it
            line = json.dumps(row, default=_plain).encode()
        self._stream.write(line + b"\n")

    def finish(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class _Parquet:
    """Types are those of the first rows; a column that is empty in all of them is a string's."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = list(columns)
        self._rows: list[list[object]] = []
        self._writer: Any = None

    def add(self, row: Fields) -> None:
        _refuse_new(row, self._columns)
        self._rows.append([_encodable(row.get(name)) for name in self._columns])
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
            schema = pa.schema(list(map(_field, self._columns, columns)))
            self._writer = pq.ParquetWriter(self._stream, schema)
        arrays = list(map(_array, columns, self._writer.schema))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._writer.schema))
        self._rows.clear()


WRITERS: dict[str, Callable[[BinaryIO, Sequence[str]], RowSink]] = {
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
        return _json(value)
    return _plain(value) if isinstance(value, bytes) else value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    """For JSON, what has no form there: dates, decimals, bytes."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _encodable(value: object) -> object:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _field(name: str, values: Sequence[object]) -> Any:
    try:
        kind = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # mixed types
        kind = pa.string()
    if pa.types.is_list(kind) and pa.types.is_null(kind.value_type):  # empty lists
        kind = pa.list_(pa.string())
    return pa.field(name, pa.string() if pa.types.is_null(kind) else kind)


def _array(values: Sequence[object], field: Any) -> Any:
    if pa.types.is_string(field.type):
        values = [v if v is None or isinstance(v, str) else _json(v) for v in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(
            f"column {field.name!r} began as {field.type} and later holds something else "
            f"({error}); write .jsonl, where rows may differ"
        ) from error
