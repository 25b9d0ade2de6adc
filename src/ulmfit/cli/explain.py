"""The command that shows which words of a text moved the answer."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer
from ulmfit.cli.piping import PIPE, piped
from ulmfit.errors import InputError

if TYPE_CHECKING:
    from ulmfit.explanations import Explanation

Precision = Annotated[a.AnswerPrecisionName, typer.Option("--precision", help="auto: fp32.")]


def explain(
    model: a.Model,
    given: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="The text; - or none takes what is piped in."),
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="FILE", help="Explain the rows of a file instead."),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", metavar="N", min=1, help="Of a file, the first N rows.")
    ] = 10,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="NAME", help="Explain this label, not the answer."),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, help="Words to list for each text.")
    ] = 8,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write a page with the texts.")
    ] = None,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    device: a.Device = "auto",
    precision: Precision = "auto",
    json: a.Json = False,
) -> None:
    """Show which words of a text moved the answer."""
    from ulmfit.bundle import load
    from ulmfit.cli.progress import tell_skipped
    from ulmfit.device import exact
    from ulmfit.explanations import explain_many
    from ulmfit.files import check_destination
    from ulmfit.predict import Predictor

    if input and given is not None:
        raise InputError("give a TEXT or --input FILE, not both")
    if html:
        check_destination(Path(html))
    skipped: list[str] = []
    if input:
        source = a.source(input, text, "", format, skip_bad_rows)
        source.check()
        texts = list(islice(source.texts(skipped.append), rows))
    else:
        texts = [_piped() if given in (None, PIPE) else str(given)]
    found = []
    for explanation in explain_many(
        Predictor(load(model), device, exact(precision)), texts, label=label
    ):
        found.append(explanation)
        if not json:
            _show(explanation, top)
    if html:
        _write(Path(html), found)
    tell_skipped(skipped)
    result = {"model": model, "explanations": [each.to_dict() for each in found], "html": html}
    answer(result, [f"written to {html}"] if html else [], json)


def _piped() -> str:
    """What is piped in, as text.

    Raises:
        InputError: nothing is piped in, or it is no UTF-8.
    """
    try:
        return piped("give a TEXT or --input FILE").decode("utf8")
    except UnicodeDecodeError as error:
        raise InputError(f"what is piped in is no UTF-8 ({error})") from None


def _show(explanation: Explanation, top: int) -> None:
    """On stdout: in colours where it is a terminal, else plain."""
    from ulmfit.explanations.terminal import coloured, plain

    if not sys.stdout.isatty():
        print("\n".join(plain(explanation, top)), end="\n\n")
        return
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(coloured(explanation, top), end="\n\n")


def _write(path: Path, found: list[Explanation]) -> None:
    from ulmfit.explanations.html import page
    from ulmfit.files import write_atomically

    with making(str(path)):
        write_atomically(path, page(found).encode())
