"""The command that shows it all at work: demo."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer

if TYPE_CHECKING:
    from ulmfit.pipeline.demonstration import Demonstration


def demo(
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Keep the texts and the model here."),
    ] = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Train and measure on the embedded messages."""
    from dataclasses import asdict

    from ulmfit.cli.progress import follow
    from ulmfit.pipeline.demonstration import MODEL, demonstrate
    from ulmfit.pipeline.runs import run_folder

    machine = a.machine(device, precision, workers, seed)
    with _folder(out) as folder:
        model = folder / MODEL
        with making(str(model), run_folder(str(model)) if out else None):
            shown = follow(demonstrate(folder, machine, overwrite=overwrite))
        result = {"model": str(model) if out else None, **asdict(shown)}
        answer(result, _lines(shown, model if out else None), json)


@contextmanager
def _folder(out: str | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="ulmfit-demo-") as folder:
        yield Path(folder)


def _lines(shown: Demonstration, model: Path | None) -> list[str]:
    low, high = shown.accuracy_ci
    lines = [
        f"held-out accuracy on {shown.n} messages of {len(shown.labels)} kinds",
        f"  ulmfit                        {shown.accuracy:.1%}  (95%: {low:.1%} to {high:.1%})",
        f"  TF-IDF + logistic regression  {shown.tfidf_accuracy:.1%}",
        "",
    ]
    for guess in shown.predictions:
        lines += [f'"{guess.text}"', f"  {guess.label}  {guess.probability:.1%}"]
    return [*lines, "", f"the model is in {model}"] if model else lines
