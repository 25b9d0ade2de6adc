"""The command that picks the texts worth labelling next."""

from __future__ import annotations

from typing import Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, tell
from ulmfit.cli.piping import PIPE, file_to_write
from ulmfit.wording import shortened

SHOWN = 5  # suggestions told on the terminal


def suggest(
    model: a.Model,
    unlabelled: Annotated[
        list[str], typer.Argument(metavar="UNLABELLED", help="Files or folders of texts.")
    ],
    out: a.Table = PIPE,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, help="How many to pick.")
    ] = 50,
    labelled: Annotated[
        list[str] | None,
        typer.Option(
            "--labelled", metavar="FILE", help="Leave out the texts of this file; repeatable."
        ),
    ] = None,
    text: a.Text = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Rows with a label are left out."),
    ] = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    device: a.Device = "auto",
    precision: a.AnswerPrecision = "auto",
    seed: a.Seed = 0,
    json: a.Json = False,
) -> None:
    """Pick the texts that are worth labelling next."""
    from ulmfit.bundle import load
    from ulmfit.cli.progress import counting, tell_skipped
    from ulmfit.pipeline.unlabelled import alike
    from ulmfit.suggestions import suggest_file

    skipped: list[str] = []
    source = a.source(unlabelled, text, label, format, skip_bad_rows)
    with making(out), file_to_write(out, ".csv") as path, counting("reading") as progress:
        found = suggest_file(
            load(model),
            source,
            path,
            count,
            labelled=[alike(file, source) for file in labelled or ()],
            machine=a.machine(device, precision, seed=seed),
            progress=progress,
            on_bad=skipped.append,
        )
    tell_skipped(skipped)
    lines = [f"{len(found):,} texts written to {out}"]
    if len(found) < count:
        lines.append(f"there are no more than {len(found):,} different ones")
    lines += [f"  {s.uncertainty:.2f}  {s.reason}  {shortened(s.row.text)}" for s in found[:SHOWN]]
    result = {"out": out, "rows": len(found), "skipped": skipped}
    answer(result, tell(lines) if out == PIPE else lines, json)
