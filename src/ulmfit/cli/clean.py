"""The command that lists the rows whose label is probably wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, tell
from ulmfit.cli.piping import PIPE, file_to_write
from ulmfit.wording import shortened

if TYPE_CHECKING:
    from ulmfit.cleaning import Doubts

SHOWN = 5  # rows told on the terminal


def clean(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Folder of a language model or a classifier, or a name of `ulmfit models`; its "
            "encoder reads the texts. A language model has seen no labels.",
        ),
    ],
    data: a.Data,
    out: a.Table = PIPE,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", metavar="N", min=1, help="List N at most; else as many as estimated."
        ),
    ] = None,
    text: a.Text = None,
    label: a.Label = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    device: a.Device = "auto",
    precision: a.AnswerPrecision = "auto",
    seed: a.Seed = 0,
    json: a.Json = False,
) -> None:
    """List the rows whose label is probably wrong."""
    from ulmfit.cleaning import clean_file
    from ulmfit.cli.progress import counting, tell_skipped
    from ulmfit.pretrained import open_model

    skipped: list[str] = []
    with making(out), file_to_write(out, ".csv") as path, counting("reading") as progress:
        bundle = open_model(model)
        doubts = clean_file(
            bundle,
            a.source(data, text, label, format, skip_bad_rows),
            path,
            a.machine(device, precision, seed=seed),
            progress,
            skipped.append,
            count,
        )
    tell_skipped(skipped)
    result = {
        "out": out,
        "rows": doubts.rows,
        "doubted": len(doubts.doubted),
        "not_judged": doubts.not_judged,
        "encoder": bundle.kind,
        "skipped": skipped,
    }
    lines = _lines(doubts, out, bundle.kind)
    answer(result, tell(lines) if out == PIPE else lines, json)


def _lines(doubts: Doubts, out: str, encoder: str) -> list[str]:
    """What was found, for a person."""
    share = len(doubts.doubted) / doubts.rows
    lines = [f"{len(doubts.doubted):,} of {doubts.rows:,} labels ({share:.1%}) doubted: {out}"]
    lines += [
        f"  {each.file}:{each.line}  {each.given} -> {each.suggested}  {shortened(each.text)}"
        for each in doubts.doubted[:SHOWN]
    ]
    if doubts.not_judged:
        rare = ", ".join(f"{name} {count}" for name, count in doubts.not_judged.items())
        lines.append(f"not judged, for too few rows: {shortened(rare, 200)}")
    if encoder == "classifier":
        lines.append(
            "a classifier has seen the labels of the rows it was trained on, and doubts them "
            "less; a language model has not"
        )
    return lines
