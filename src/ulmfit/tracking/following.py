"""The events of a run, passed on as they come, their figures told to trackers."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.runs import run_folder
from ulmfit.run import Plan, Validated
from ulmfit.tracking.group import Trackers, figures_of, flat, numbers
from ulmfit.tracking.numbering import Numbering
from ulmfit.tracking.trackers import Asked, parse
from ulmfit.training.loop import EpochEnd, Step

FILE = "tracking.json"  # in the run's folder
Result = TypeVar("Result")
Events = Generator[Event, None, Result]


def track(events: Events[Result], asked: Sequence[str], out: str, options: Any) -> Events[Result]:
    """Pass on the events of a run that makes `out`, telling trackers what they say.

    Args:
        events: of `pretrain`, `finetune` or `train`.
        asked: `tensorboard`, `mlflow`, each with `=WHERE` behind it or not.
        out: the model's folder; beside it the run's folder remembers the trackers, so that a
            resumed run goes on in the same records (`track_again`).
        options: a dataclass: the parameters.

    Raises:
        InputError: no such tracker, its extra is not installed, or its place cannot be opened.
    """
    each = [parse(told) for told in dict.fromkeys(asked)]
    return _told(events, each, Path(out), flat(options), {})


def track_again(events: Events[Result], out: str) -> Events[Result]:
    """The same for a resumed run; nothing is tracked that was not before.

    Raises:
        InputError: an extra is not installed any more.
    """
    path = run_folder(out) / FILE
    if not path.is_file():
        return events
    state = json.loads(path.read_text("utf8"))
    each = [parse(told) for told in state["trackers"]]
    return _told(events, each, Path(out), {}, state)


def _told(
    events: Events[Result],
    asked: Sequence[Asked],
    out: Path,
    parameters: Mapping[str, str],
    state: dict[str, Any],
) -> Events[Result]:
    following: _Following | None = None
    finished = False
    try:
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                finished = True
                result: Result = end.value
                break
            if following is None:  # the door is passed: the input is right, the folder there
                try:
                    following = _Following(asked, out, state)
                except InputError as error:
                    events.throw(error)
                assert following is not None
                yield from following.begin(parameters)
            yield event
            yield from following.take(event)
        if following is not None:
            yield from following.end(result)
        return result
    finally:
        events.close()
        if following is not None:
            following.close(finished)


class _Following:
    """The trackers of one process."""

    def __init__(self, asked: Sequence[Asked], out: Path, state: dict[str, Any]) -> None:
        self._path = run_folder(str(out)) / FILE
        self._numbering = Numbering(**state.get("numbering", {}))
        self._asked = asked
        self._trackers = Trackers(asked, out.name, state.get("identities"))
        self._save()

    def begin(self, parameters: Mapping[str, str]) -> Iterator[Note]:
        """Tell what was asked for, where this is the first process; else what is missing."""
        yield from self._trackers.unopened
        if parameters:
            yield from self._trackers.parameters(parameters)

    def take(self, event: Event) -> Iterator[Note]:
        """Tell what the event says."""
        match event:
            case Plan():
                self._numbering.begin(event)
                self._save()
            case Step():
                known = dict(self._numbering.totals)
                step = self._numbering.number(event)
                yield from self._figures(event, step)
                if known != self._numbering.totals:
                    self._save()
            case EpochEnd():
                yield from self._figures(event, self._numbering.last)
            case Validated():
                yield from self._figures(event, self._numbering.last)
                yield from self._trackers.flush()
                self._save()

    def end(self, result: object) -> Iterator[Note]:
        """Tell the figures of the finished model, on test rows if there are any."""
        test = numbers("test", (getattr(result, "metrics", None) or {}).get("test") or {})
        yield from self._trackers.figures(test, self._numbering.last)
        yield from self._trackers.flush()

    def close(self, finished: bool) -> None:
        """Let go of the trackers; the run's folder may be gone by now."""
        self._trackers.close(finished)

    def _figures(self, event: Step | EpochEnd | Validated, step: int) -> Iterator[Note]:
        yield from self._trackers.figures(figures_of(event, self._numbering.stage), step)

    def _save(self) -> None:
        if not self._path.parent.is_dir():
            return
        told = {
            "trackers": [str(one.lasting()) for one in self._asked],
            "identities": self._trackers.identities,
            "numbering": self._numbering.told(),
        }
        write_atomically(self._path, json.dumps(told).encode())
