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

from ulmfit.data.finite import finite
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
            line = _json(row).encode()
        except UnicodeEncodeError:  # a lone surrogate: JSON can escape it
            line = _json(row, ascii_only=True).encode()
        self._stream.write(line + b"\n")

    def finish(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class Types:
    """What the columns of rows are, told row by row; for Parquet, which has to know at its start.

    A column of whole numbers and fractions holds fractions, objects have the keys of all of them,
    what is empty everywhere and what does not go together are strings (of JSON).
    """

    def __init__(self) -> None:
        self._rows: list[Fields] = []
        self._found: dict[str, Any] = {}

    def add(self, row: Fields) -> None:
        """Take in a row."""
        self._rows.append(row)
        if len(self._rows) == GROUP:
            self._settle()

    def of(self, name: str) -> Any:
        """The type of a column; None where no row had it."""
        self._settle()
        return self._found.get(name)

    def _settle(self) -> None:
        for name in dict.fromkeys(name for row in self._rows for name in row):
            found = _type([_encodable(row.get(name)) for row in self._rows])
            self._found[name] = _common(self._found.get(name, found), found)
        self._rows.clear()


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
            schema = pa.schema(list(map(self._field, self._columns, columns)))
            self._writer = pq.ParquetWriter(self._stream, schema)
        arrays = list(map(_array, columns, self._writer.schema))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._writer.schema))
        self._rows.clear()

    def _field(self, name: str, values: Sequence[object]) -> Any:
        told = self._types.of(name)
        return pa.field(name, _storable(_type(values) if told is None else told))


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
        return _json(value)
    return _plain(value) if isinstance(value, bytes) else value


def _json(value: object, ascii_only: bool = False) -> str:
    """JSON, in which null stands for an infinity and for NaN."""
    write = partial(json.dumps, ensure_ascii=ascii_only, default=_plain, allow_nan=False)
    try:
        return write(value)
    except ValueError:
        return write(finite(value))


def _plain(value: object) -> str:
    """For JSON, what has no form there: dates, decimals, bytes."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _encodable(value: object) -> object:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _type(values: Sequence[object]) -> Any:
    try:
        return pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # mixed types
        return pa.string()


def _common(one: Any, other: Any) -> Any:
    """The type that holds values of both."""
    schemas = [pa.schema([pa.field("", kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()


def _storable(kind: Any) -> Any:
    """The type of a column; nothing but empty cells or empty lists would be none."""
    if pa.types.is_list(kind) and pa.types.is_null(kind.value_type):
        return pa.list_(pa.string())
    return pa.string() if pa.types.is_null(kind) else kind


def _array(values: Sequence[object], field: Any) -> Any:
    if pa.types.is_string(field.type):
        values = [v if v is None or isinstance(v, str) else _json(v) for v in values]
    try:
        found = pa.array(values)
        if _is_cut(found.type, field.type):
            raise pa.ArrowInvalid(f"it is {found.type}")
        if pa.types.is_floating(found.type) and pa.types.is_integer(field.type):
            return found.cast(field.type)  # which refuses 0.5; asked at once, pyarrow makes it 0
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(
            f"column {field.name!r} began as {field.type} and later holds something else "
            f"({error}); write .jsonl, where rows may differ"
        ) from error


def _is_cut(found: Any, wanted: Any) -> bool:
    """Whether pyarrow would drop parts of what lies in lists and objects, without a word."""
    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        types = {field.name: field.type for field in wanted}
        return any(f.name not in types or _loses(f.type, types[f.name]) for f in found)
    if pa.types.is_list(found) and pa.types.is_list(wanted):
        return _loses(found.value_type, wanted.value_type)
    return False


def _loses(found: Any, wanted: Any) -> bool:
    fraction = pa.types.is_floating(found) and pa.types.is_integer(wanted)
    return fraction or _is_cut(found, wanted)
