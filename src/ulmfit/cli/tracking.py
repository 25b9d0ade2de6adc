"""The option that sends the figures of a run to a tracker: --track."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle
    from ulmfit.pipeline import Event
    from ulmfit.pipeline.options import Options

    Events = Generator[Event, None, Bundle]

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
