"""The events of a run, passed on as they come, their figures told to trackers."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.pipeline import Event, Note
from ulmfit.pipeline.runs import run_folder
from ulmfit.run import Plan, Validated
from ulmfit.tasks import group_names
from ulmfit.tracking.numbering import Numbering
from ulmfit.tracking.trackers import KINDS, Asked, Tracker, parse
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
    return _told(events, each, Path(out), _flat(asdict(options)), {})


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
                    following = _Following(asked, out, parameters, state)
                except Exception as error:
                    events.throw(_refused(error))
            assert following is not None
            yield event
            yield from following.take(event)
        if following is not None:
            yield from following.end(result)
        return result
    finally:
        events.close()
        if following is not None:
            following.close(finished)


def _refused(error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError(f"--track: {_line(error)}")


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Following:
    """The trackers of one process."""

    def __init__(
        self,
        asked: Sequence[Asked],
        out: Path,
        parameters: Mapping[str, str],
        state: dict[str, Any],
    ) -> None:
        self._path = run_folder(str(out)) / FILE
        self._numbering = Numbering(**state.get("numbering", {}))
        known = state.get("identities", [None] * len(asked))
        self._asked = asked
        self._trackers: dict[str, Tracker] = {}
        for one, identity in zip(asked, known, strict=True):
            try:
                opened = KINDS[one.kind].open(one.where, out.name, identity)
            except InputError:
                raise
            except Exception as error:
                raise InputError(f"--track {one}: {_line(error)}") from error
            self._trackers[str(one)] = opened
        self._identities = [tracker.identity for tracker in self._trackers.values()]
        if parameters:
            for tracker in self._trackers.values():
                tracker.parameters(parameters)
        self._save()

    def take(self, event: Event) -> Iterator[Note]:
        """Tell what the event says."""
        match event:
            case Plan():
                self._numbering.begin(event)
                self._save()
            case Step():
                known = dict(self._numbering.totals)
                step = self._numbering.number(event)
                yield from self._each(_of_step(event, self._numbering.stage), step)
                if known != self._numbering.totals:
                    self._save()
            case EpochEnd():
                yield from self._each({"epoch loss": event.loss})
            case Validated():
                figures = {f"validation {n}": v for n, v in event.figures.items()}
                yield from self._each(figures)
                yield from self._flush()
                self._save()

    def end(self, result: object) -> Iterator[Note]:
        """Tell the figures of the finished model, on test rows if there are any."""
        test = (getattr(result, "metrics", None) or {}).get("test") or {}
        numbers = {f"test/{n}": float(v) for n, v in test.items() if _is_number(v)}
        if numbers:
            yield from self._try("figures", numbers, self._numbering.last)
        yield from self._flush()

    def close(self, finished: bool) -> None:
        """Let go of the trackers; the run's folder may be gone by now."""
        for tracker in self._trackers.values():
            try:
                tracker.close(finished)
            except Exception:
                continue  # what it could not keep was told before, or the process ends anyway

    def _each(self, figures: Mapping[str, float], step: int | None = None) -> Iterator[Note]:
        named = {f"{self._numbering.stage}/{n}": float(v) for n, v in figures.items()}
        if named:
            yield from self._try("figures", named, self._numbering.last if step is None else step)

    def _flush(self) -> Iterator[Note]:
        yield from self._try("flush")

    def _try(self, method: str, *arguments: object) -> Iterator[Note]:
        """A tracker that fails is left behind: training is worth more than its record."""
        for name, tracker in list(self._trackers.items()):
            try:
                getattr(tracker, method)(*arguments)
            except Exception as error:
                del self._trackers[name]
                yield Note(f"tracking with {name} has stopped, training goes on: {_line(error)}")

    def _save(self) -> None:
        if not self._path.parent.is_dir():
            return
        told = {
            "trackers": [str(one) for one in self._asked],
            "identities": self._identities,
            "numbering": self._numbering.told(),
        }
        write_atomically(self._path, json.dumps(told).encode())


def _of_step(step: Step, stage: str) -> dict[str, float]:
    names = group_names(stage, len(step.rates))
    rates = zip(names, step.rates, strict=True)
    return {
        "loss": step.loss,
        **{f"rate of {name.replace(',', '')}": rate for name, rate in rates if rate},
        "tokens per second": step.tokens / max(step.seconds, 1e-9),
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Nested values by dotted names; what is None is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        parts = [_flat(v, f"{name}.{k}" if name else str(k)) for k, v in value.items()]
        return {k: v for part in parts for k, v in part.items()}
    if value is None or value == ():
        return {}
    return {name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)}
