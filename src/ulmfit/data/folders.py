"""What a folder holds: one folder of texts per class, or files to read one after another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ulmfit.data.columns import LabelColumns, choose_columns
from ulmfit.data.plain import read_document
from ulmfit.data.rows import BadRow, Record, Source
from ulmfit.errors import InputError

UNLABELLED = ("unsup", "unlabelled", "unlabeled")  # aclImdb's name, and the plain ones
_DOCUMENT_SUFFIXES = ("", ".txt")
_PARTS = ("train", "test")
_HIDDEN = ("thumbs.db", "desktop.ini")  # on Windows, where no dot hides a file


def class_folders(root: Path) -> list[Path]:
    """The folders in `root` that hold texts themselves, sorted; empty if it is no such tree.

    Raises:
        InputError: `root` holds a `train` and a `test` tree.
    """
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if {folder.name for folder in folders}.issuperset(_PARTS):
        raise InputError(
            f"{root}: it holds both 'train' and 'test'; give one of them: {root / 'train'}"
        )
    return [folder for folder in folders if next(documents_of(folder), None) is not None]


def open_class_folders(root: Path, text: Sequence[str] | None, label: LabelColumns) -> Source:
    """One folder per class, one file per text, as in aclImdb; `unsup` is unlabelled.

    Files that are no texts by their ending are one bad row for each folder, so that no class
    shrinks unseen.

    Raises:
        InputError: `root` is not such a tree.
    """
    folders = class_folders(root)
    if not folders:
        raise InputError(f"{root}: expected one folder per class with .txt files in it")
    names = ("file", "label", "text")
    columns = choose_columns(names, text, label, str(root))
    return Source(root, "class-folders", names, columns, partial(_records, root, folders))


def refuse_mixed_parts(folder: Path, files: Sequence[Path]) -> None:
    """Hold a training file and a test file of one folder apart.

    Raises:
        InputError: both are there, so that all files together would train on the test set.
    """
    for part in _PARTS:
        if not any(part in re.split(r"[^a-z]+", file.name.lower()) for file in files):
            return
    listed = ", ".join(file.name for file in files[:10])
    raise InputError(f"{folder}: it holds training and test files ({listed}); name the files meant")


def documents_of(folder: Path) -> Iterator[Path]:
    """The texts in a class's folder, in no order."""
    return (path for path in _files(folder) if _is_document(path))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name[0] not in "._" and path.name.lower() not in _HIDDEN and path.is_file():
            yield path


def _is_document(path: Path) -> bool:
    return path.suffix.lower() in _DOCUMENT_SUFFIXES


def _records(root: Path, folders: Sequence[Path]) -> Iterator[Record | BadRow]:
    for folder in folders:
        label = None if folder.name.lower() in UNLABELLED else folder.name
        yield from _passed_over(folder)
        for path in sorted(documents_of(folder)):
            text = read_document(path)
            if isinstance(text, BadRow):
                yield text
            else:
                name = path.relative_to(root).as_posix()
                yield Record({"file": name, "label": label, "text": text}, str(path), 1)


def _passed_over(folder: Path) -> Iterator[BadRow]:
    """One bad row for all files in a class's folder that are no texts, if there are any."""
    endings = Counter(path.suffix for path in _files(folder) if not _is_document(path))
    if endings:
        shown = ", ".join(f"{n:,} in {ending}" for ending, n in endings.most_common(5))
        more = ", ..." if len(endings) > 5 else ""
        yield BadRow(
            f"{folder}: it holds files that do not end in .txt ({shown}{more}), which are not "
            "read as texts; rename them or take them away"
        )
