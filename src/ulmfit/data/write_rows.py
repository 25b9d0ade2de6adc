"""Rows with their predictions -> a file that is whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ulmfit.data.column_types import Types
from ulmfit.data.encodings import WRITERS, RowSink
from ulmfit.errors import InputError
from ulmfit.files import check_destination, new_part, sync_folder

Probabilities = Iterable[float]
Answered = str | float | tuple[str, ...] | None


class PredictionWriter:
    """Writes the input's columns in order, then `label` and one probability column a class.

    A label may be a string, a number, or the labels of a text as a tuple: a list in JSONL and
    Parquet, and joined in CSV and TSV, where the separator alone stands for no label at all, so
    that `read_rows` gives back what was written. None is an empty cell.

    Rows go to a part file of this process' own, `.NAME.PID.part` beside the destination, one after
    another in constant memory. When the `with` block ends well the file is synced and renamed;
    when it does not, the part file is removed and the destination stays as it was.

    A new column whose name the input already has gets `_predicted` added to it (and a number
    if need be): the input's columns stay as they were. `label_column` and
    `probability_columns` say what they are called once the first row is written.

    Args:
        path: .csv, .tsv, .jsonl or .parquet.
        classes: in the order of the probabilities.
        format: "csv", "tsv", "jsonl" or "parquet"; None goes by the extension.
        label: what the column of labels is called.
        separator: between several labels in CSV and TSV; "" writes a JSON list there too.
        abstains: add a column `abstained` that tells where the label is None.
        columns: the input's, where all are known beforehand; else those of the first row are.
        types: theirs, for Parquet; None takes those of the first rows.

    Raises:
        InputError: no such format, or the folder is missing; while writing, a row with a
            column that is neither in `columns` nor the first row's (not for JSONL).
        OSError: a full disk and the like.

    Example:
        >>> with PredictionWriter(Path("out.csv"), ["neg", "pos"]) as out:
        ...     out.write({"text": "fine"}, "pos", [0.1, 0.9])
        >>> Path("out.csv").read_text().splitlines()
        ['text,label,p_neg,p_pos', 'fine,pos,0.1,0.9']
    """

    def __init__(
        self,
        path: Path,
        classes: Sequence[str],
        format: str | None = None,
        *,
        label: str = "label",
        separator: str = "",
        abstains: bool = False,
        columns: Sequence[str] = (),
        types: Types | None = None,
    ) -> None:
        self.path = path
        self.classes = tuple(classes)
        self.rows = 0
        self.label_column = label
        self.abstained_columns: tuple[str, ...] = ("abstained",) if abstains else ()
        self.probability_columns = tuple(f"p_{name}" for name in self.classes)
        chosen = format_of(path, format)
        self._make_sink = WRITERS[chosen]
        self._columns = list(columns)
        self._types = types
        self._separator = separator if chosen in ("csv", "tsv") else ""
        self._stream: BinaryIO | None = None
        self._sink: RowSink | None = None
        check_destination(path)
        self._part = new_part(path)

    def __enter__(self) -> Self:
        """Open the part file."""
        self._stream = self._part.open("wb")
        return self

    def write(
        self, fields: Mapping[str, object], label: Answered, probabilities: Probabilities = ()
    ) -> None:
        """Append one row; `fields` are its input columns."""
        if self._sink is None:
            self._begin([*self._columns, *(name for name in fields if name not in self._columns)])
        assert self._sink is not None
        added: dict[str, object] = {self.label_column: self._cell(label)}
        added |= {name: label is None for name in self.abstained_columns}
        added |= zip(self.probability_columns, map(float, probabilities), strict=True)
        self.rows += 1
        self._sink.add({**fields, **added})

    def _cell(self, label: Answered) -> object:
        if not isinstance(label, tuple):
            return label
        return (self._separator.join(label) or self._separator) if self._separator else list(label)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the file in its place, or leave nothing behind."""
        try:
            if kind is None:
                self._commit()
        finally:
            self._let_go()

    def _begin(self, names: Sequence[str]) -> None:
        if self._stream is None:
            raise RuntimeError("write() belongs inside the with block")
        taken = set(names)
        self.label_column = free_name(self.label_column, taken)
        self.abstained_columns = tuple(free_name(n, taken) for n in self.abstained_columns)
        self.probability_columns = tuple(free_name(n, taken) for n in self.probability_columns)
        columns = [*names, self.label_column, *self.abstained_columns, *self.probability_columns]
        self._sink = self._make_sink(self._stream, columns, self._types)

    def _commit(self) -> None:
        if self._sink is None:
            self._begin(self._columns)
        assert self._sink is not None and self._stream is not None
        self._sink.finish()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._part.replace(self.path)
        sync_folder(self.path.parent)

    def _let_go(self) -> None:
        if self._sink is not None:
            self._sink.abandon()
        if self._stream is not None:
            with suppress(OSError):  # a full disk again, on what was still in the buffer
                self._stream.close()
        self._part.unlink(missing_ok=True)


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or one like it that is not taken; takes it."""
    tries = [name, f"{name}_predicted"] + [f"{name}_predicted_{i}" for i in range(2, 1000)]
    chosen = next(t for t in tries if t not in taken)
    taken.add(chosen)
    return chosen


def format_of(path: Path, format: str | None = None) -> str:
    """The name of a format of results; InputError where there is none of that name."""
    chosen = format or path.suffix.lower().removeprefix(".")
    if chosen not in WRITERS:
        raise InputError(f"{path}: results are written as .{', .'.join(WRITERS)}; got {chosen!r}")
    return chosen
