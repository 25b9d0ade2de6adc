"""One text a line with its label in front: TREC's and fastText's formats; and bare lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.lines import Lines
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

Fields = dict[str, object]
FASTTEXT_PREFIX = "__label__"
_TREC = re.compile(r"([A-Za-z]+):([A-Za-z]+)\s+(\S.*)")


def open_trec(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """Li and Roth's question classes, `COARSE:fine text`, in ISO-8859-1.

    The label is the coarse class; `label="fine"` takes the 50 fine ones, as `NUM:date`.
    """
    names = ("label", "fine", "text")
    return _open(path, "trec", names, text, label, _trec, encoding="iso-8859-1")


def open_fasttext(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """fastText's `__label__x text`, or with several labels in front; without one: unlabelled."""
    return _open(path, "fasttext", ("label", "text"), text, label, _fasttext)


def open_lines(path: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """Plain text, one document a line."""
    source = _open(path, "lines", ("text",), text, label, _bare)
    return replace(source, with_blanks=lambda: _records(path, _bare, "utf-8", blanks=True))


def is_fasttext(path: Path) -> bool:
    """Whether the first line that is not empty begins with a fastText label."""
    first = next((line for line in Lines(path) if not line.isspace()), "")
    return first.lstrip().startswith(FASTTEXT_PREFIX)


def _open(
    path: Path,
    kind: str,
    names: tuple[str, ...],
    text: Sequence[str] | None,
    label: LabelColumns,
    parse: Callable[[str], Fields],
    encoding: str = "utf-8",
) -> Source:
    columns = choose_columns(names, text, label, str(path))
    return Source(path, kind, names, columns, lambda: _records(path, parse, encoding))


def _records(
    path: Path, parse: Callable[[str], Fields], encoding: str, blanks: bool = False
) -> Iterator[Record | BadRow]:
    lines = Lines(path, encoding)
    for line in lines:
        if (complaint := lines.complaint()) is not None:
            yield BadRow(complaint)
        elif blanks or not line.isspace():
            try:
                yield Record(parse(line.strip()), str(path), lines.number)
            except InputError as error:
                yield BadRow(f"{path}, line {lines.number}: {error}")


def _bare(line: str) -> Fields:
    return {"text": line}


def _trec(line: str) -> Fields:
    match = _TREC.fullmatch(line)
    if match is None:
        raise InputError(f"expected 'COARSE:fine text', got {line[:60]!r}")
    coarse, fine, text = match.groups()
    return {"label": coarse, "fine": f"{coarse}:{fine}", "text": text}


def _fasttext(line: str) -> Fields:
    if not line.startswith(FASTTEXT_PREFIX):
        return {"label": None, "text": line}
    marks: list[str] = []
    while line.startswith(FASTTEXT_PREFIX):
        mark, *rest = line.split(maxsplit=1)
        marks.append(mark.removeprefix(FASTTEXT_PREFIX))
        line = rest[0] if rest else ""
    return {"label": marks if len(marks) > 1 else marks[0], "text": line.strip()}
