"""The command that searches for good settings: tune."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.cross_validation import Overwrite, Work
from ulmfit.cli.errors import making
from ulmfit.cli.like_train import like_train
from ulmfit.cli.output import answer, table
from ulmfit.cli.training import train_options
from ulmfit.wording import duration

if TYPE_CHECKING:
    from ulmfit.tuning import Trial, Tuned, TuneOptions

Trials = Annotated[
    int, typer.Option("--trials", metavar="N", min=1, help="How many to try, the preset first.")
]
Folds = Annotated[
    int,
    typer.Option(
        "--folds", metavar="K", min=1, help="Measure each on K folds; 1: on one fifth of the rows."
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric", metavar="NAME", help="Figure to search for, such as accuracy or log_loss."
    ),
]
TuneLm = Annotated[
    bool,
    typer.Option("--tune-lm", help="Search the LM's settings too: each trial fine-tunes it anew."),
]


@like_train()
def tune(
    out: Work,
    trials: Trials = 20,
    folds: Folds = 1,
    metric: Metric = None,
    tune_lm: TuneLm = False,
    overwrite: Overwrite = False,
    json: a.Json = False,
    **train: object,
) -> None:
    """Search for good settings on your data."""
    from dataclasses import asdict

    from ulmfit.cli.progress import follow
    from ulmfit.tuning import TuneOptions, tune

    asked = TuneOptions(train_options({**train, "out": out}), trials, folds, metric, tune_lm)
    with making(out, again=True):
        found = follow(tune(asked, overwrite=overwrite))
    answer({"folder": out, **asdict(found)}, _lines(found, asked), json)


def _lines(found: Tuned, asked: TuneOptions) -> Iterator[str]:
    names = list(found.trials[0].found)
    header = ["trial", *(name.replace("_", " ") for name in (found.metric, *names)), "time"]
    yield from table([_row(trial, names, found) for trial in found.trials], header)
    yield ""
    yield f"* the best of {len(found.trials)}, measured on {found.measured_on}."
    yield "  It was chosen by this figure, so expect a little less on rows that are new."
    if steps := found.settings["classifier"]["min_steps"]:
        yield f"  Few rows are read in more epochs than the table says: for {steps} steps at least."
    yield ""
    yield f"settings    {found.settings_file}"
    yield f"use them    {' '.join(_command(found, asked))}"


def _row(trial: Trial, names: list[str], found: Tuned) -> list[str]:
    name = "preset" if trial.number == 0 else str(trial.number)
    mark = " *" if trial.number == found.best else ""
    value = "broke" if trial.value is None else f"{trial.value:.4f}"
    values = [f"{trial.found[name]:.3g}" for name in names]
    return [name + mark, value, *values, duration(trial.seconds)]


def _command(found: Tuned, asked: TuneOptions) -> list[str]:
    """The `ulmfit train` that learns from all rows with these settings."""
    import shlex
    from dataclasses import replace

    from ulmfit.pipeline.command_line import command_line

    options = replace(asked.train, out="MODEL", settings=None, time_budget=None)
    options = replace(options, epochs=None, lm_epochs=None)  # they would go before the settings
    if found.language_model is not None:
        options = replace(options, lm=found.language_model, finetune=False, unlabelled=())
    words = command_line("train", options)
    return [shlex.quote(word) for word in [*words, "--settings", found.settings_file]]
