"""What `verbose` prints while an estimator is fitted."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from ulmfit.pipeline import Event, Note
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import Step

Result = TypeVar("Result")
STEPS = 50  # between two lines of `verbose=2`


def finished(events: Generator[Event, None, Result], verbose: int) -> Result:
    """Run the generator to its end and return what it returns.

    Args:
        events: of the pipeline.
        verbose: 0 prints nothing, 1 each stage and epoch, 2 every fiftieth step too.
    """
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            result: Result = end.value
            return result
        if line := told(event, verbose):
            print(f"[ulmfit] {line}", flush=True)


def told(event: Event, verbose: int) -> str | None:
    """The line that an event is worth, or None."""
    if verbose < 1:
        return None
    match event:
        case Note(text):
            return text
        case Plan():
            epochs = sum(phase["epochs"] for phase in event.phases)
            return (
                f"{event.stage}: {epochs} epochs, {event.steps:,} steps, "
                f"about {event.seconds:,.0f} s"
            )
        case Validated():
            figures = ", ".join(f"{name} {value:.4g}" for name, value in event.figures.items())
            kept = " (kept)" if event.best else ""
            return f"epoch {event.epoch + 1}: {figures or 'nothing held out'}{kept}"
        case Step() if verbose > 1 and event.step % STEPS == 0:
            return f"{event.phase}: step {event.step:,} of {event.total:,}, loss {event.loss:.4f}"
    return None
