"""What a search is asked for and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ulmfit.errors import InputError
from ulmfit.pipeline.held_out import LOWER_IS_BETTER
from ulmfit.pipeline.options import TrainOptions


@dataclass(frozen=True)
class TuneOptions:
    """`ulmfit tune`."""

    train: TrainOptions
    """how to learn; its `out` is the folder of the search, its time budget is for all of it"""
    trials: int = 20
    folds: int = 1
    """1: one fifth of the rows is held out for all trials; more: cross-validation, a trial is
    so many times as long and as much less noisy"""
    metric: str | None = None
    """a figure of `evaluate`; None takes the main one of the kind"""
    tune_lm: bool = False
    """search the language model's settings too, and fine-tune it anew for each trial"""


@dataclass(frozen=True)
class Trial:
    """One set of values that was tried."""

    number: int
    """0 is the preset itself"""
    found: dict[str, float]
    """value of each dimension"""
    value: float | None
    """the figure that is searched for; None where training broke"""
    figures: dict[str, float]
    """all that are numbers, means over the folds"""
    seconds: float
    broken: str
    """why it has no figures"""


@dataclass(frozen=True)
class Tuned:
    """What came out."""

    metric: str
    measured_on: str
    """which rows, for a person"""
    trials: list[Trial]
    best: int
    """number of the best trial"""
    settings: dict[str, Any]
    """its values, as `ulmfit train --settings` takes them"""
    settings_file: str
    language_model: str | None
    """the fine-tuned language model, where it was made once for all trials"""


def best_of(trials: list[Trial], metric: str) -> Trial:
    """The best, of equals the one with the smallest loss.

    Raises:
        InputError: every trial broke.
    """
    whole = [trial for trial in trials if trial.value is not None]
    if not whole:
        raise InputError(f"every trial broke, the last one thus: {trials[-1].broken}")
    sign = 1 if metric in LOWER_IS_BETTER else -1

    def rank(trial: Trial) -> tuple[float, float]:
        return sign * (trial.value or 0.0), trial.figures.get("log_loss", 0.0)

    return min(whole, key=rank)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, part by part."""
    both = {**base, **over}
    for name in base.keys() & over.keys():
        if isinstance(base[name], dict) and isinstance(over[name], dict):
            both[name] = merged(base[name], over[name])
    return both
