"""The command that writes a report on a model, and the report that training ends with."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import DEBUG, Interrupted, making
from ulmfit.cli.output import answer, fitted
from ulmfit.figures import compared

if TYPE_CHECKING:
    from ulmfit.pipeline.options import Machine
    from ulmfit.report import Report

Rows = Annotated[
    int,
    typer.Option("--rows", metavar="N", min=1, help="Look at N rows of a set at most, drawn."),
]


def report(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder of a model.")],
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATA", help="Measure on these labelled rows, not the test set."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write here [report.html in MODEL; with DATA, report-NAME.html].",
        ),
    ] = None,
    text: a.Text = None,
    label: a.Label = None,
    separator: a.Separator = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    rows: Rows = 2_000,
    device: a.Device = "auto",
    precision: a.AnswerPrecision = "auto",
    json: a.Json = False,
) -> None:
    """Write a page on a model: figures, mistakes, data, curves."""
    from ulmfit.cli.progress import follow
    from ulmfit.report import write_report
    from ulmfit.wording import size

    path = Path(out) if out else _page_beside(model, data)
    source = a.source(data, text, label, format, skip_bad_rows, separator) if data else None
    machine = a.machine(device, precision)
    with making(str(path or model)):
        made = follow(write_report(model, source, path, machine=machine, rows=rows))
    lines = [f"{made.path} ({size(made.bytes)})", *(f"  lacks: {told}" for told in made.lacks)]
    if made.beside is not None:
        lines.append(compared(asdict(made.beside)))
    result = {"model": model, **result_of(made), "bytes": made.bytes, "lacks": made.lacks}
    answer(result, fitted(lines), json)


def result_of(made: Report | None) -> dict[str, Any]:
    """A report and the baseline in it, for --json; nulls where there are none."""
    beside = None if made is None or made.beside is None else asdict(made.beside)
    return {"report": None if made is None else str(made.path), "baseline": beside}


def _page_beside(model: str, data: list[str] | None) -> Path | None:
    """report-reviews.html of other data, so that the model's own report stays; else None."""
    from ulmfit.remote import is_remote

    if not data or is_remote(model):
        return None
    return Path(model) / f"report-{Path(data[0]).stem[:100]}.html"


def reported_rows() -> int:
    """Rows of each set that the report of a new model looks at."""
    from ulmfit.report.examination import ROWS

    return ROWS


def report_of(model: str, machine: Machine) -> Report | None:
    """Write the report of a model that was just trained; None, and why on stderr, if that fails.

    The model is whole by then: a report that cannot be made is no reason to fail.

    Raises:
        Interrupted: by Ctrl-C.
    """
    from ulmfit.cli.progress import follow
    from ulmfit.report import write_report

    again = f"to try again: ulmfit report {model}"
    try:
        return follow(write_report(Path(model), machine=machine))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {model} is whole, its report is not; {again}") from None
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"ulmfit: the report was not written ({what}); {again}", file=sys.stderr)
        return None
