"""The figures of runs in a tracker: the option --track, as they come; the command, afterwards."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import Failed
from ulmfit.cli.output import answer

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle
    from ulmfit.pipeline import Event
    from ulmfit.pipeline.options import Options

    Events = Generator[Event, None, Bundle]

SHOWN = 5  # runs that are named
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="KIND",
        help="tensorboard or mlflow; with =FOLDER or =URI behind it for another place; repeatable.",
    ),
]


def tracked(events: Events, asked: list[str] | None, options: Options) -> Events:
    """The events of a run, told to the trackers that were asked for."""
    if not asked:
        return events
    from ulmfit.tracking import track

    return track(events, asked, options.out, options)


def tracked_again(events: Events, out: str) -> Events:
    """The events of a resumed run, told to the trackers that it had."""
    from ulmfit.tracking import track_again

    return track_again(events, out)


def track(
    folder: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER", help="Of a model, of tune, of cross-validate; or a single record."
        ),
    ],
    to: Annotated[
        list[str],
        typer.Option(
            "--to",
            metavar="KIND",
            help="tensorboard or mlflow; with =FOLDER or =URI for another place; repeatable.",
        ),
    ],
    json: a.Json = False,
) -> None:
    """Send the records of finished runs to a tracker."""
    from ulmfit.cli.progress import follow
    from ulmfit.tracking import send

    runs = follow(send(folder, to))
    if lost := [f"{run.name} ({', '.join(run.failed)})" for run in runs if run.failed]:
        which = "; ".join([*lost[:SHOWN], *["..."] * (len(lost) > SHOWN)])
        raise Failed(f"{len(lost)} of {len(runs)} runs were not sent whole: {which}")
    names = [run.name for run in runs]
    told = f"{len(names)} run{'s' * (len(names) > 1)} sent to {', '.join(to)}"
    answer({"runs": names, "to": to}, [told], json)
