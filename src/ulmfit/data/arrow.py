"""Arrow files, and the folders that Hugging Face `datasets` saves with `save_to_disk`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ulmfit.data.class_labels import Renames, renames_in, renames_of
from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.record_batches import BATCH, is_text, records_of
from ulmfit.data.rows import Source
from ulmfit.errors import InputError

# What `save_to_disk` leaves beside the data.
STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` has saved a data set, or a dictionary of splits, in `folder`."""
    is_one = (folder / STATE).is_file() and (folder / INFO).is_file()
    return is_one or (folder / SPLITS).is_file()


def open_arrow(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """An Arrow file (either IPC format), or a folder made by `Dataset.save_to_disk`.

    Raises:
        InputError: it is neither, is cut, has no rows or no such columns, holds several splits,
            or the text column holds something other than strings.
    """
    files = _files(path) if path.is_dir() else [path]
    first = _open(files[0]).schema
    names = tuple(first.names)
    columns = choose_columns(names, text, label, str(path))
    for file in files:
        schema = _open(file).schema
        for name in columns.text:
            if name not in schema.names or not is_text(schema.field(name).type):
                kind = schema.field(name).type if name in schema.names else "nothing"
                raise InputError(f"{file}: column {name!r} holds {kind}, not strings (--text)")
    records = partial(records_of, path, files, _batches, _renames(path, first))
    return Source(path, "arrow", names, columns, records, "row")


def _files(folder: Path) -> list[Path]:
    if (folder / SPLITS).is_file():
        splits = _told(folder / SPLITS).get("splits", [])
        listed = ", ".join(str(folder / str(split)) for split in splits)
        raise InputError(f"{folder}: it holds several splits; give one of them: {listed}")
    if not (folder / STATE).is_file():
        raise InputError(f"{folder}: no folder of `datasets` (it has no {STATE})")
    told = _told(folder / STATE)
    try:
        names = [str(entry["filename"]) for entry in told["_data_files"]]
    except (KeyError, TypeError):
        names = []
    if not names or told.get("_indices_data_files") or told.get("_indices_files"):
        raise InputError(f"{folder}/{STATE}: not as this `datasets` writes it; save it anew")
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise InputError(f"{folder}/{STATE}: it names {name!r}, which is no file beside it")
    return [folder / name for name in names]


def _told(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(told, dict):
        raise InputError(f"{path}: a JSON object is wanted, not a {type(told).__name__}")
    return told


def _open(path: Path) -> Any:
    """A reader of record batches, for the file format or the stream format."""
    try:
        source = pa.memory_map(str(path))
        if source.size() == 0:
            raise InputError(f"{path}: the file is empty")
        try:
            return _Batches(pa.ipc.open_file(source))
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source)
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a whole Arrow file ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


class _Batches:
    """An Arrow file of the random-access format, read in order like a stream."""

    def __init__(self, file: Any) -> None:
        self.schema = file.schema
        self._file = file

    def __iter__(self) -> Iterator[Any]:
        return (self._file.get_batch(i) for i in range(self._file.num_record_batches))


def _batches(file: Path) -> Iterator[Any]:
    for batch in _open(file):
        for start in range(0, batch.num_rows, BATCH):
            yield batch.slice(start, BATCH)


def _renames(path: Path, schema: Any) -> Renames:
    if path.is_dir() and (path / INFO).is_file():
        return renames_of(_told(path / INFO).get("features"))
    return renames_in(schema)
