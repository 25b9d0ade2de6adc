"""The command that tells how good a classifier becomes on data like these: cross-validate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.like_train import like_train
from ulmfit.cli.output import answer, table
from ulmfit.cli.training import train_options

if TYPE_CHECKING:
    from ulmfit.cross_validation import CrossValidated
    from ulmfit.metrics.resampled import Resampled

Folds = Annotated[int, typer.Option("--folds", metavar="K", min=2, help="Each is held out once.")]
Repeats = Annotated[
    int,
    typer.Option("--repeats", metavar="N", min=1, help="Repeat with new folds, seeds S, S+1, ..."),
]
LmPerFold = Annotated[
    bool,
    typer.Option(
        "--lm-per-fold", help="Fine-tune the LM for each fold, without the texts measured on."
    ),
]
Predictions = Annotated[
    str | None,
    typer.Option(
        "--predictions",
        metavar="FILE",
        help="Write the answers of the models that had not seen the row.",
    ),
]
Work = Annotated[
    str, typer.Option("--out", "-o", metavar="FOLDER", help="Keep the work and its result here.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Begin anew in that folder.")]


@like_train()
def cross_validate(
    out: Work,
    folds: Folds = 5,
    repeats: Repeats = 1,
    lm_per_fold: LmPerFold = False,
    predictions: Predictions = None,
    overwrite: Overwrite = False,
    json: a.Json = False,
    **train: object,
) -> None:
    """Measure how well `train` does on your data."""
    from dataclasses import asdict

    from ulmfit.cli.progress import follow
    from ulmfit.cross_validation import CrossValidationOptions, cross_validate

    asked = CrossValidationOptions(
        train_options({**train, "out": out}), folds, repeats, lm_per_fold, predictions
    )
    with making(out, again=True):
        found = follow(cross_validate(asked, overwrite=overwrite))
    answer({"folder": out, **asdict(found)}, _lines(found), json)


def _lines(found: CrossValidated) -> Iterator[str]:
    times = f", {found.repeats} times" * (found.repeats > 1)
    yield f"{found.rows:,} rows in {found.folds} folds{times}; the language model was "
    yield f"{found.language_model}"
    yield ""
    rows = [[name.replace("_", " "), *_cells(one)] for name, one in found.summary.items()]
    yield from table(rows, ["", "mean", "sd", "95% interval of the mean"])
    if found.predictions:
        yield ""
        yield f"the answers of models that had not seen the row are in {found.predictions}"


def _cells(one: Resampled) -> list[str]:
    if one.sd is None or one.low is None or one.high is None:
        return [f"{one.mean:.4g}", "-", "-"]
    return [f"{one.mean:.4f}", f"{one.sd:.4f}", f"{one.low:.4f} to {one.high:.4f}"]
