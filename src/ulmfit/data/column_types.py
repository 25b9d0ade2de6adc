"""Which type of Arrow holds a column of rows, and the column itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from ulmfit.data.finite import as_json
from ulmfit.errors import InputError

Fields = Mapping[str, object]
GROUP = 1024  # rows whose types are found at once


class Types:
    """What the columns of rows are, told row by row; for Parquet, which has to know at its start.

    A column of whole numbers and fractions holds fractions, objects have the keys of all of them,
    what is empty everywhere, whole numbers beyond 64 bits and what does not go together are strings
    (of JSON).
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
            found = type_of([encodable(row.get(name)) for row in self._rows])
            self._found[name] = _common(self._found.get(name, found), found)
        self._rows.clear()


def encodable(value: object) -> object:
    """The value, lists and objects through and through, with lone surrogates as escapes."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, list) else value


def type_of(values: Sequence[object]) -> Any:
    """The type that holds them all; strings, where there is no other."""
    try:
        return pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # mixed types; 2**63 and more
        return pa.string()


def storable(kind: Any) -> Any:
    """The type of a column; of nothing but empty cells, lists or objects, Parquet has none."""
    if pa.types.is_list(kind):
        return pa.list_(storable(kind.value_type))
    if pa.types.is_struct(kind) and kind.num_fields:
        return pa.struct([(field.name, storable(field.type)) for field in kind])
    return pa.string() if pa.types.is_null(kind) or pa.types.is_struct(kind) else kind


def array_of(values: Sequence[object], field: Any) -> Any:
    """The values as a column.

    Raises:
        InputError: its type cannot hold one of them as it is.
    """
    if pa.types.is_string(field.type) or pa.types.is_nested(field.type):
        values = [_fitted(value, field.type) for value in values]
    try:
        found = pa.array(values)
        if _is_cut(found.type, field.type):
            raise pa.ArrowInvalid(f"it is {found.type}")
        if pa.types.is_floating(found.type) and pa.types.is_integer(field.type):
            return found.cast(field.type)  # which refuses 0.5; asked at once, pyarrow makes it 0
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise InputError(
            f"column {field.name!r} began as {field.type} and later holds something else "
            f"({error}); write .jsonl, where rows may differ"
        ) from error


def _common(one: Any, other: Any) -> Any:
    """The type that holds values of both."""
    schemas = [pa.schema([pa.field("", kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()


def _fitted(value: object, kind: Any) -> object:
    """The value, with JSON for what is not a string where a string belongs."""
    if pa.types.is_string(kind):
        return value if value is None or isinstance(value, str) else as_json(value)
    if pa.types.is_list(kind) and isinstance(value, list):
        return [_fitted(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind) and isinstance(value, dict):
        known = {field.name: field.type for field in kind}
        return {k: _fitted(v, known[k]) if k in known else v for k, v in value.items()}
    return value


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
