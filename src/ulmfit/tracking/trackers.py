"""What a tracker is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ulmfit.errors import InputError
from ulmfit.tracking.in_mlflow import lasting_uri, mlflow_client, open_mlflow
from ulmfit.tracking.in_tensorboard import open_tensorboard, summary_writer


class Tracker(Protocol):
    """Takes figures and keeps them somewhere."""

    @property
    def identity(self) -> str:
        """By which a later process finds the same record again."""

    def parameters(self, values: Mapping[str, str]) -> None:
        """What the run was asked for; once."""

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Figures, by name, at a step of their stage."""

    def flush(self) -> None:
        """Put down what was only remembered."""

    def close(self, finished: bool) -> None:
        """The process ends; the run is finished, or may be taken up again."""


@dataclass(frozen=True)
class Kind:
    """A sort of tracker."""

    check: Callable[[], object]
    """raises InputError where the extra is not installed"""
    open: Callable[[str | None, str, str | None], Tracker]
    """from where, the run's name, and the identity of an earlier process's record"""
    lasting: Callable[[str | None], str | None]
    """a place as it is called from any folder and with any environment"""


KINDS: Mapping[str, Kind] = {
    # TensorBoard's identity is the folder itself.
    "tensorboard": Kind(summary_writer, open_tensorboard, lambda where: where),
    "mlflow": Kind(mlflow_client, open_mlflow, lasting_uri),
}


@dataclass(frozen=True)
class Asked:
    """One `KIND=WHERE`, as `--track` and `track --to` take it."""

    kind: str
    where: str | None
    """a folder or a URI; None for the kind's own place"""

    def __str__(self) -> str:
        return self.kind if self.where is None else f"{self.kind}={self.where}"

    def lasting(self) -> Asked:
        """The same for a process that begins in another folder."""
        return replace(self, where=KINDS[self.kind].lasting(self.where))


def parse(told: str) -> Asked:
    """`KIND` or `KIND=WHERE`, the package there.

    Raises:
        InputError: no such kind, an empty place, or the extra is not installed.
    """
    kind, equals, where = told.partition("=")
    if kind not in KINDS or (equals and not where):
        raise InputError(
            f"tracking with {told!r}: expected one of {', '.join(KINDS)}, or with a place: "
            "tensorboard=FOLDER, mlflow=URI"
        )
    KINDS[kind].check()
    return Asked(kind, where or None)
