"""Files and folders of any supported format -> rows, one after another in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ulmfit.data.arrow import is_saved_dataset, open_arrow
from ulmfit.data.columns import LabelColumns, listed, require_column
from ulmfit.data.folders import (
    class_folders,
    documents_of,
    open_class_folders,
    refuse_mixed_parts,
)
from ulmfit.data.jsonl import open_jsonl
from ulmfit.data.labelled_lines import is_fasttext, open_fasttext, open_lines, open_trec
from ulmfit.data.labels import Reading
from ulmfit.data.parquet import open_parquet
from ulmfit.data.plain import open_text, open_text_files
from ulmfit.data.rows import BadRow, Row, Source, to_row
from ulmfit.data.tabular import is_zhang, open_table, open_zhang
from ulmfit.data.wikitext import open_tokens
from ulmfit.errors import InputError

Opener = Callable[[Path, Sequence[str] | None, LabelColumns], Source]

FORMATS: dict[str, Opener] = {
    "csv": open_table,
    "tsv": partial(open_table, delimiter="\t"),
    "tsv-unquoted": partial(open_table, delimiter="\t", quoted=False),
    "zhang-csv": open_zhang,
    "jsonl": open_jsonl,
    "parquet": open_parquet,
    "arrow": open_arrow,
    "class-folders": open_class_folders,
    "trec": open_trec,
    "fasttext": open_fasttext,
    "lines": open_lines,
    "text": open_text,
    "tokens": open_tokens,
}
EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".label": "trec",
    ".ft": "fasttext",
    ".fasttext": "fasttext",
    ".txt": "text",
    ".tokens": "tokens",
}
_NOT_GZIPPED = ("parquet", "arrow", "class-folders")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file turned out to be before any row is used.

    `label` is None where it has no labels; `columns` are all there are, in order.
    """

    path: Path
    format: str
    columns: tuple[str, ...]
    text: tuple[str, ...]
    label: str | tuple[str, ...] | None


def read_rows(
    paths: Sequence[Path],
    *,
    text: Sequence[str] | None = None,
    label: LabelColumns = None,
    separator: str | None = None,
    weight: str | None = None,
    format: str | None = None,
    blank_texts: bool = False,
    skip_bad_rows: bool = False,
    on_bad: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """Rows of files and folders, in the order given.

    A folder is a tree of class folders, a data set saved by Hugging Face `datasets`, or stands
    for all supported files in it by name. A `.txt` file is split into documents at blank lines;
    in a folder, each is one document.

    Args:
        paths: files and folders.
        text: the columns with the text, joined by a newline; None finds one called `text` or
            the like.
        label: the column with the label; None finds one called `label` or the like; `""`
            takes none; several names are columns of 0 and 1, one a label.
        separator: what stands between the labels of one text, where a column of text holds
            several.
        weight: the column with the row's weight; None gives each row the weight 1.
        format: one of `FORMATS`; None goes by the extension, and for .csv and .txt by content.
        blank_texts: give a row without a text the text "", instead of calling it bad; in the
            format "lines" a blank line is such a row, and else none.
        skip_bad_rows: leave out a row that cannot be used instead of stopping there.
        on_bad: called with a message for each row left out.

    Raises:
        InputError: at once, if a path is missing or empty, or a column cannot be found; while
            iterating, at a bad row, with its file and line.

    Example:
        >>> sum(row.label == "pos" for row in read_rows([Path("reviews.csv")]))
        30
    """
    sources = open_sources(paths, text=text, label=label, format=format)
    return _stream(sources, Reading(separator, weight, blank_texts), skip_bad_rows, on_bad)


def check_sources(
    paths: Sequence[Path],
    *,
    text: Sequence[str] | None = None,
    label: LabelColumns = None,
    weight: str | None = None,
    format: str | None = None,
    need_label: bool = False,
) -> tuple[Schema, ...]:
    """Say before any long work whether `read_rows` would find its files and columns.

    Reads the first row of each file.

    Args:
        paths, text, label, weight, format: as for `read_rows`.
        need_label: no label column at all is an error.

    Raises:
        InputError: as `read_rows`, or for want of a column of labels or weights.
    """
    sources = open_sources(paths, text=text, label=label, format=format)
    if weight is not None:
        for source in filter(_has_label, sources):
            require_column(weight, source.names, str(source.path), "sample-weight")
    for source in sources:
        if next(source.records(), None) is None:
            raise InputError(f"{source.path}: it holds no texts")
    if need_label and not any(_has_label(source) for source in sources):
        raise InputError(
            f"{sources[0].path}: no column is named 'label'. {listed(sources[0].names)} "
            "Name the one with the labels: --label COLUMN"
        )
    return tuple(
        Schema(s.path, s.format, s.names, s.columns.text, s.columns.label) for s in sources
    )


def open_sources(
    paths: Sequence[Path],
    *,
    text: Sequence[str] | None = None,
    label: LabelColumns = None,
    format: str | None = None,
) -> list[Source]:
    """Each file and folder, opened far enough to know its columns."""
    if not paths:
        raise InputError("no file or folder was given")
    if format is not None and format not in FORMATS:
        raise InputError(f"no format is called {format!r}; there are {', '.join(FORMATS)}")
    return [s for path in paths for s in _open(Path(path), text, label, format)]


def _open(
    path: Path, text: Sequence[str] | None, label: LabelColumns, format: str | None
) -> list[Source]:
    if path.is_dir():
        return _open_folder(path, text, label, format)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if path.is_fifo():
        raise InputError(f"{path}: it is a pipe, and files are read more than once; use a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    return [FORMATS[format or format_of(path)](path, text, label)]


def _open_folder(
    folder: Path, text: Sequence[str] | None, label: LabelColumns, format: str | None
) -> list[Source]:
    if is_saved_dataset(folder) and format in (None, "arrow"):
        return [open_arrow(folder, text, label)]
    tree = _tree(folder, format)
    files = _files(folder, format)
    tables = [p for p in files if _extension(p) != ".txt"]
    if format == "class-folders" or (tree and not tables):
        return [open_class_folders(folder, text, label)]
    if tree:
        raise InputError(
            f"{folder}: it holds folders of texts ({tree[0].name}, ...) and files "
            f"({tables[0].name}, ...); name those meant, or say --format class-folders"
        )
    if not files:
        raise InputError(
            f"{folder}: there is no file of a supported kind in it ({' '.join(EXTENSIONS)})"
        )
    refuse_mixed_parts(folder, files)
    documents = [p for p in files if format is None and _is_document(p)]
    apart = set(documents)
    sources = [s for p in files if p not in apart for s in _open(p, text, label, format)]
    return sources + ([open_text_files(folder, documents, text, label)] if documents else [])


def _is_document(path: Path) -> bool:
    """Whether a folder's file is one plain text; one that cannot be read is a bad one."""
    try:
        return format_of(path) == "text"
    except InputError:
        return _extension(path) == ".txt"


def _tree(folder: Path, format: str | None) -> list[Path]:
    return class_folders(folder) if format in (None, "class-folders") else []


def _files(folder: Path, format: str | None) -> list[Path]:
    found = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] not in "._")
    return [p for p in found if format is not None or is_supported(p)]


def files_read(folder: Path, format: str | None = None) -> list[Path]:
    """Every file of a folder that `read_rows` reads, by name; a log that lies there is none.

    Raises:
        InputError: it holds a `train` and a `test` tree.
    """
    documents = (text for each in _tree(folder, format) for text in documents_of(each))
    return sorted({*_files(folder, format), *documents})


def format_of(path: Path) -> str:
    """The format of a file, by its extension; .csv and .txt by their first line as well.

    Raises:
        InputError: the extension is not known.
    """
    format = EXTENSIONS.get(_extension(path))
    if format is None or (path.suffix == ".gz" and format in _NOT_GZIPPED):
        raise InputError(
            f"{path}: the format is not known by its name; expected one of "
            f"{' '.join(EXTENSIONS)} (or name it with --format: {', '.join(FORMATS)})"
        )
    if format == "csv" and path.stat().st_size and is_zhang(path):
        return "zhang-csv"
    return "fasttext" if format == "text" and is_fasttext(path) else format


def is_supported(path: Path) -> bool:
    """Whether a folder's file of this name would be read."""
    return _extension(path) in EXTENSIONS and path.name[0] not in "._"


def _extension(path: Path) -> str:
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower()


def _has_label(source: Source) -> bool:
    return source.columns.label is not None


def _stream(
    sources: Sequence[Source],
    reading: Reading,
    skip_bad_rows: bool,
    on_bad: Callable[[str], None] | None,
) -> Iterator[Row]:
    for source in sources:
        found = False
        records = source.records
        if reading.blank_texts and source.with_blanks is not None:
            records = source.with_blanks
        for record in records():
            found = True
            row = record if isinstance(record, BadRow) else to_row(record, source, reading)
            if isinstance(row, Row):
                yield row
            elif not skip_bad_rows:
                raise InputError(f"{row.message} (--skip-bad-rows leaves such rows out)")
            elif on_bad is not None:
                on_bad(row.message)
        if not found:
            raise InputError(f"{source.path}: it holds no texts")
