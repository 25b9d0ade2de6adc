"""MLflow: a run in a local database, or on a server."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterable, Mapping
from itertools import chain, count
from typing import Any

from ulmfit.extras import extra

PLACE = "sqlite:///mlflow.db"  # MLflow's own, where MLFLOW_TRACKING_URI names no other
EXPERIMENT = "ulmfit"  # where MLFLOW_EXPERIMENT_NAME names no other
BATCH = 500  # figures sent together; a server takes 1,000 at most
PARAMETERS = 100  # sent together: the most that a server takes
LONGEST = 500  # characters of a parameter, which every server keeps
_FORBIDDEN = re.compile(r"[^\w\-. :/]", re.ASCII)


def mlflow_client() -> Any:
    """MLflow's package.

    Raises:
        InputError: the extra is not installed.
    """
    package = extra("mlflow", "track", "tracking with MLflow")
    for name in ("mlflow", "alembic"):  # they tell of every table that they make
        logging.getLogger(name).setLevel(logging.WARNING)
    return package


def lasting_uri(where: str | None) -> str:
    """Where MLflow keeps its runs; what lies in files by its absolute path."""
    uri = where or os.environ.get("MLFLOW_TRACKING_URI") or PLACE
    scheme, colon, path = uri.partition(":///")
    if ":" not in uri and not uri.startswith("databricks"):  # a folder
        return os.path.abspath(uri)
    if colon and scheme == "sqlite" and not os.path.isabs(path):
        return f"{scheme}:///{os.path.abspath(path)}"
    return uri


def open_mlflow(where: str | None, name: str, identity: str | None) -> InMLflow:
    """A new run of the experiment; the one of an earlier process if there is one.

    A figure that is told twice for a step stands there twice, as MLflow keeps every one.
    """
    package = mlflow_client()
    uri = lasting_uri(where)
    if uri.startswith("sqlite:"):  # mlflow-skinny brings neither
        for needed in ("sqlalchemy", "alembic"):
            extra(needed, "track", "a local database of MLflow")
    client = package.MlflowClient(tracking_uri=uri)
    if identity is not None:
        client.update_run(identity, status="RUNNING")
        return InMLflow(client, identity)
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    found = client.get_experiment_by_name(experiment)
    number = found.experiment_id if found else client.create_experiment(experiment)
    return InMLflow(client, client.create_run(number, run_name=name).info.run_id)


class InMLflow:
    """Tells a run its figures, many at a time."""

    def __init__(self, client: Any, run: str) -> None:
        self.identity = run
        self._client = client
        self._entities = extra("mlflow.entities", "track", "tracking with MLflow")
        self._waiting: list[Any] = []

    def parameters(self, values: Mapping[str, str]) -> None:
        """The parameters of the run; a long one is cut."""
        every = [
            self._entities.Param(name, value[:LONGEST])
            for name, value in zip(_names(values), values.values(), strict=True)
        ]
        for start in range(0, len(every), PARAMETERS):
            self._client.log_batch(self.identity, params=every[start : start + PARAMETERS])

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Metrics; sent when there are enough."""
        now = int(time.time() * 1000)
        self._waiting += [
            self._entities.Metric(_FORBIDDEN.sub("_", name), value, now, step)
            for name, value in values.items()
        ]
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting."""
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), BATCH):
            self._client.log_batch(self.identity, metrics=waiting[start : start + BATCH])

    def close(self, finished: bool) -> None:
        """The run's status."""
        self.flush()
        self._client.set_terminated(self.identity, "FINISHED" if finished else "KILLED")


def _names(names: Iterable[str]) -> list[str]:
    """In characters that every server takes, no two alike, though labels of other scripts are."""
    found: dict[str, None] = {}
    for name in names:
        plain = _FORBIDDEN.sub("_", name)
        tries = chain([plain], (f"{plain}_{number}" for number in count(2)))
        found[next(one for one in tries if one not in found)] = None
    return list(found)
