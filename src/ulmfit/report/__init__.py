"""The report on a model: one HTML file to look at, keep and pass on (a face, on floor 4)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ulmfit.errors import InputError
from ulmfit.files import check_writable, write_atomically
from ulmfit.pipeline.inputs import MODELS
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import refuse_input_as_output
from ulmfit.remote import is_remote, local_folder
from ulmfit.report.beside import Beside
from ulmfit.report.examination import ROWS, Event, Findings, examine
from ulmfit.report.history import read_record
from ulmfit.report.page import page

__all__ = ["FILE", "Beside", "Findings", "Report", "examine", "page", "write_report"]

FILE = "report.html"
ANYWHERE = Machine()


@dataclass(frozen=True)
class Report:
    """A report that was written."""

    path: Path
    bytes: int
    lacks: list[str]
    """sentences on what it cannot tell, and why"""
    beside: Beside | None = None
    """the model and TF-IDF on the same rows; None where there is no baseline"""


def write_report(
    model: str | Path,
    data: Source | None = None,
    out: Path | None = None,
    *,
    machine: Machine = ANYWHERE,
    rows: int = ROWS,
) -> Generator[Event, None, Report]:
    """Write a model's report, yielding progress.

    Args:
        model: its folder, or `hf://user/name`.
        data: labelled rows to measure on; None takes the test rows of the training, or, where it
            had none, the validation rows.
        out: the file; None takes `report.html` in the model's folder, which one of the hub lacks.
        machine: where to compute.
        rows: of each set, how many are answered at most; more are drawn from.

    Raises:
        InputError: there is no whole model, its record is broken, the data cannot be used, or
            the page would replace them.
        OSError: the disk is full, and the like.
    """
    if out is None and is_remote(model):
        raise InputError(f"{model}: a model of the hub; say in which file its report goes (--out)")
    if rows < 1:
        raise InputError(f"{rows} rows of each set: at least 1 is needed")
    path = out or Path(model) / FILE
    refuse_input_as_output(_rows_of(model, data), path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path}: a report is a page; name it .html")
    check_writable(path.parent)
    found = yield from examine(model, data, machine, rows)
    content = page(found).encode()
    write_atomically(path, content)
    return Report(path, len(content), found.lacks, found.beside)


def _rows_of(model: str | Path, data: Source | None) -> Source:
    """The files of rows that a report is made from: the data, and those of the training."""
    record = read_record(local_folder(model))
    trained = record.run.get("inputs", []) if record else []
    paths = [told["path"] for told in trained if told["role"] not in MODELS]
    paths += data.paths if data else ()
    return Source(tuple(path for path in paths if Path(path).exists()))
