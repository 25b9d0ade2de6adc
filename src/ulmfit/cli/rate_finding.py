"""The command that sweeps the learning rate: find-rate."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.like_train import NOT_SHARED, like_train
from ulmfit.cli.output import answer, table
from ulmfit.cli.training import train_options

if TYPE_CHECKING:
    from ulmfit.rate_finding import FoundRate

SHOWN = 13  # lines of the table
BAR = 30  # characters of its longest bar
Stage = Annotated[
    Literal["classifier", "language-model"],
    typer.Option("--stage", help="What to sweep; the language model is swept as fine-tuning is."),
]
Phase = Annotated[
    str | None,
    typer.Option(
        "--phase", metavar="NAME", help="Phase to sweep: 'last 1', 'last 2', ... or 'all' [all]."
    ),
]
Lowest = Annotated[float, typer.Option("--lowest", metavar="RATE", help="The first rate.")]
Highest = Annotated[float, typer.Option("--highest", metavar="RATE", help="The last rate.")]
Steps = Annotated[
    int, typer.Option("--steps", metavar="N", min=10, help="From the first rate to the last.")
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Draw the curve: a .png, .svg or .pdf file."),
]
Record = Annotated[
    str | None,
    typer.Option("--record", metavar="FILE", help="Write every step and the result: JSON lines."),
]
NOT_TRAINED = (
    *("out", "finetune", "epochs", "lm_epochs", "time_budget", "overwrite"),
    *("calibrate", "abstain_below", "coverage"),
)


@like_train(leave=(*NOT_SHARED, *NOT_TRAINED))
def find_rate(
    stage: Stage = "classifier",
    phase: Phase = None,
    lowest: Lowest = 1e-5,
    highest: Highest = 1.0,
    steps: Steps = 100,
    plot: Plot = None,
    record: Record = None,
    json: a.Json = False,
    **train: object,
) -> None:
    """Sweep the learning rate and suggest one."""
    from pathlib import Path

    from ulmfit.cli.progress import follow
    from ulmfit.rate_finding import RateOptions, find_rate
    from ulmfit.rate_finding import plot as draw
    from ulmfit.rate_finding.plotting import check_picture

    if plot is not None:
        check_picture(Path(plot))
    unused: dict[str, Any] = {**dict.fromkeys(NOT_TRAINED), "calibrate": True}
    options = train_options({**unused, **train, "out": "", "finetune": stage != "classifier"})
    asked = RateOptions(options, stage, phase, lowest, highest, steps, record)
    found = follow(find_rate(asked))
    if plot is not None:
        draw(found, Path(plot))
    answer({**_result(found, plot), "record": record}, _lines(found, plot), json)


def _result(found: FoundRate, plot: str | None) -> dict[str, Any]:
    curve = found.curve
    return {
        "stage": found.stage,
        "direction": found.direction,
        "phase": curve.phase,
        "suggestion": curve.suggestion,
        "lowest_loss_at": curve.lowest,
        "steepest_at": curve.steepest,
        "preset_peak": found.preset_peak,
        "settings": found.settings,
        "rates": curve.rates,
        "losses": curve.losses,
        "smoothed": curve.smoothed,
        "plot": plot,
    }


def _lines(found: FoundRate, plot: str | None) -> Iterator[str]:
    curve = found.curve
    places = sorted({round(i * (len(curve.rates) - 1) / (SHOWN - 1)) for i in range(SHOWN)})
    most = max(curve.smoothed[place] for place in places)
    rows = [
        [f"{curve.rates[i]:.2e}", f"{curve.smoothed[i]:.4f}", _bar(curve.smoothed[i], most)]
        for i in places
    ]
    yield from table(rows, ["rate", "loss", ""])
    yield ""
    if curve.lowest is None or curve.suggestion is None or curve.steepest is None:
        yield "The loss never fell below where it began: there is nothing to suggest."
        yield "Try a smaller --lowest, or more --steps."
    else:
        yield f"suggestion   {curve.suggestion:.2g}   a tenth of the rate of the lowest loss,"
        yield f"             {curve.lowest:.2g}; it falls fastest at {curve.steepest:.2g}"
        yield f"the preset   {found.preset_peak:.2g}"
        yield f"to use it    --settings '{json_text.dumps(found.settings)}'"
    if plot is not None:
        yield f"the curve    {plot}"


def _bar(loss: float, most: float) -> str:
    return ("#" * round(BAR * loss / most) if loss > 0 < most else "").ljust(BAR)
