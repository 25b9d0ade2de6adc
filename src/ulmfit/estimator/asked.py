"""An estimator's parameters -> what the pipeline wants; wrong ones are found here, in `fit`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ulmfit.errors import InputError
from ulmfit.estimator.plain import in_json, plain
from ulmfit.estimator.weights import NamedWeights
from ulmfit.pipeline.options import Machine, Source, TrainOptions, cores
from ulmfit.targets.kinds import Kind

SEEDS = 2**32  # numpy's are smaller
NUMBERS = ("focal_gamma", "label_smoothing")
SHARES = ("abstain_below", "coverage")
OF_CLASSES = ("loss", *NUMBERS, "calibrate", *SHARES)
"""parameters that a regressor lacks, called as in `TrainOptions`"""


def train_options(
    parameters: Mapping[str, Any], kind: Kind, class_weights: NamedWeights = None
) -> TrainOptions:
    """The options of `ulmfit train` that the parameters mean.

    Args:
        parameters: `get_params()`; a regressor lacks those of the classes.
        kind: of the target.
        class_weights: by name.

    Raises:
        InputError: a value is of the wrong type or out of range; it says which.
    """
    p = parameters
    lm = p["lm"]
    if not isinstance(lm, str | os.PathLike | None):
        raise InputError(f"lm: a name or a folder is wanted, not {type(lm).__name__}")
    if not _is_whole(p["verbose"]) and not isinstance(p["verbose"], bool):
        raise InputError(f"verbose: 0, 1 or 2 is wanted, not {p['verbose']!r}")
    device, precision = _name("device", p["device"]), _name("precision", p["precision"])
    machine = Machine(device, precision, processes(p["n_jobs"]), seed(p["random_state"]))
    return TrainOptions(
        data=Source(()),
        out="",
        machine=machine,
        lm=None if lm is None else os.fspath(lm),
        preset=_name("preset", p["preset"]),
        direction=None if p["direction"] is None else _name("direction", p["direction"]),
        finetune=_flag("finetune", p["finetune"]),
        lm_epochs=_epochs("lm_epochs", p["lm_epochs"]),
        epochs=_epochs("epochs", p["epochs"]),
        settings=_settings(p["settings"]),
        time_budget=_minutes(p["time_budget"]),
        task=kind,
        class_weights=class_weights,
        **{name: _of_classes(name, p[name]) for name in OF_CLASSES if name in p},
    )


def seed(random_state: Any) -> int:
    """The number itself, or one drawn as scikit-learn draws.

    Raises:
        InputError: it is neither a seed nor None nor a `RandomState`.
    """
    if _is_whole(random_state) and 0 <= random_state < SEEDS:
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31))
    except ValueError:
        raise InputError(
            f"random_state: a whole number from 0 to {SEEDS - 1}, None or a RandomState is "
            f"wanted, not {random_state!r}"
        ) from None


def processes(n_jobs: Any) -> int:
    """None is one process; negative numbers count from all the cores, -1 being all.

    Raises:
        InputError: it is 0 or no whole number.
    """
    if n_jobs is None:
        return 1
    if not _is_whole(n_jobs) or n_jobs == 0:
        raise InputError(f"n_jobs: None or a whole number but 0 is wanted, not {n_jobs!r}")
    return int(n_jobs) if n_jobs > 0 else max(1, cores() + 1 + int(n_jobs))


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _name(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise InputError(f"{name}: a name is wanted, not {value!r}")
    return value


def _flag(name: str, value: Any) -> bool:
    """ "no" and "False" are true to Python."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name}: True or False is wanted, not {value!r}")
    return bool(value)


def _of_classes(name: str, value: Any) -> Any:
    if name == "calibrate":
        return _flag(name, value)
    if name in NUMBERS and not _is_number(value):
        raise InputError(f"{name}: a number is wanted, not {value!r}")
    if name in SHARES and value is not None and not _is_number(value):
        raise InputError(f"{name}: None or a number from 0 to 1 is wanted, not {value!r}")
    return plain(value)


def _epochs(name: str, value: Any) -> int | None:
    if value is not None and not (_is_whole(value) and value >= 1):
        raise InputError(f"{name}: None or a whole number from 1 up is wanted, not {value!r}")
    return None if value is None else int(value)


def _settings(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping | None):
        raise InputError(
            'settings: None or a dict like {"classifier": {"peak": 0.02}} is wanted, '
            f"not {type(value).__name__}"
        )
    settings: dict[str, Any] | None = None if value is None else plain(value)
    if not in_json(settings):
        raise InputError(f"settings: what JSON has is wanted, not {value!r:.200}")
    return settings


def _minutes(value: Any) -> float | None:
    if value is not None and not (_is_number(value) and 0 < value < float("inf")):
        raise InputError(f"time_budget: None or minutes above 0 are wanted, not {value!r}")
    return None if value is None else float(value)
