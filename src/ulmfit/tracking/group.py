"""Several trackers that are told the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from typing import Any

from ulmfit.errors import InputError
from ulmfit.pipeline import Note
from ulmfit.run import Validated
from ulmfit.tasks import group_names
from ulmfit.tracking.trackers import KINDS, Asked, Tracker
from ulmfit.training.loop import EpochEnd, Step


class Trackers:
    """Those of one run.

    Args:
        asked: which.
        name: the run's.
        identities: of an earlier process's records, one a tracker; None: they are new.

    Raises:
        InputError: an extra is not installed, or a place of new records cannot be opened. One of
            earlier records is left behind: a training is worth more.
    """

    def __init__(
        self, asked: Sequence[Asked], name: str, identities: Sequence[str] | None = None
    ) -> None:
        self._each: dict[str, Tracker] = {}
        self.failed: list[str] = []
        """those that were left behind"""
        self.unopened: list[Note] = []
        """what there is to say of those of them that could not be opened again"""
        self.identities: list[str] = []
        """by which a later process finds the same records"""
        for place, one in enumerate(asked):
            identity = None if identities is None else identities[place]
            try:
                self._each[str(one)] = tracker = _opened(one, name, identity)
            except InputError as error:
                if identity is None:
                    self.close(False)
                    raise
                self.failed.append(str(one))
                self.unopened.append(Note(f"{error}; the training goes on without it"))
                self.identities.append(identity)
            else:
                self.identities.append(tracker.identity)

    def parameters(self, values: Mapping[str, str]) -> Iterator[Note]:
        """What the run was asked for."""
        yield from self._told("parameters", values)

    def figures(self, values: Mapping[str, float], step: int) -> Iterator[Note]:
        """Figures, by name, at a step of their stage."""
        if values:
            yield from self._told("figures", values, step)

    def flush(self) -> Iterator[Note]:
        """Put down what was only remembered."""
        yield from self._told("flush")

    def close(self, finished: bool) -> None:
        """Let go of the trackers; whether the run is finished is told to them."""
        for tracker in self._each.values():
            _close(tracker, finished)

    def _told(self, method: str, *arguments: object) -> Iterator[Note]:
        """A tracker that fails is left behind: a training is worth more than its record."""
        for name, tracker in list(self._each.items()):
            try:
                getattr(tracker, method)(*arguments)
            except Exception as error:
                del self._each[name]
                self.failed.append(name)
                _close(tracker, False)
                yield Note(f"tracking with {name} has stopped, the rest goes on: {_line(error)}")


def _close(tracker: Tracker, finished: bool) -> None:
    """What it could not keep was told before, or the process ends anyway."""
    with suppress(Exception):
        tracker.close(finished)


def _opened(one: Asked, name: str, identity: str | None) -> Tracker:
    try:
        return KINDS[one.kind].open(one.where, name, identity)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"tracking with {one}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def figures_of(event: Step | EpochEnd | Validated, stage: str) -> dict[str, float]:
    """What an event says, by names that begin with its stage."""
    match event:
        case Step():
            own = _of_step(event, stage)
        case EpochEnd():
            own = {"epoch loss": event.loss}
        case Validated():
            own = {f"validation {name}": value for name, value in event.figures.items()}
    return {f"{stage}/{name}": float(value) for name, value in own.items()}


def _of_step(step: Step, stage: str) -> dict[str, float]:
    names = group_names(stage, len(step.rates))
    rates = zip(names, step.rates, strict=True)
    return {
        "loss": step.loss,
        **{f"rate of {name.replace(',', '')}": rate for name, rate in rates if rate},
        "tokens per second": step.tokens / max(step.seconds, 1e-9),
    }


def numbers(what: str, figures: Mapping[str, Any]) -> dict[str, float]:
    """Those of the figures that are single numbers, by names that begin with what they are of."""
    return {
        f"{what}/{name}": float(value)
        for name, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Nested values by dotted names; what is None is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        parts = [flat(v, f"{name}.{k}" if name else str(k)) for k, v in value.items()]
        return {k: v for part in parts for k, v in part.items()}
    if value is None or value == () or value == []:
        return {}
    return {name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)}
