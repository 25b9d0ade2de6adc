"""The record of trials, in optuna's journal: text, a line for each thing that happened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ulmfit.extras import extra
from ulmfit.tuning.space import Dimension

NAME = "ulmfit"
JOURNAL = "trials.journal"
ENDED = "ended"  # marks a trial that was told of; one that a crash broke off is not


def optuna() -> Any:
    """The package, its chatter off.

    Raises:
        InputError: the extra is not installed.
    """
    package = extra("optuna", "tune", "the search for settings")
    package.logging.set_verbosity(package.logging.WARNING)
    return package


class Study:
    """Asks for values to try, and is told how good they were; what it knows survives a crash.

    The n-th trial is drawn from a seed of its own and from the trials that are over, by a tree of
    Parzen estimators (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"), so
    that a study that was stopped and taken up again asks for what it would have asked for.

    Args:
        folder: of the journal.
        space: the dimensions; the presets' values are the first trial.
        maximize: whether more is better.
        seed: of the draws.
    """

    def __init__(
        self, folder: Path, space: Mapping[str, Dimension], *, maximize: bool, seed: int
    ) -> None:
        self._optuna = optuna()
        self._space = space
        self._seed = seed
        journal = self._optuna.storages.journal
        storage = self._optuna.storages.JournalStorage(
            journal.JournalFileBackend(str(folder / JOURNAL))
        )
        self._study = self._optuna.create_study(
            study_name=NAME,
            storage=storage,
            direction="maximize" if maximize else "minimize",
            load_if_exists=True,
        )
        self._asked: Any = None
        if not self._study.trials:
            self._study.enqueue_trial({name: d.preset for name, d in space.items()})

    def ask(self) -> tuple[int, dict[str, float]]:
        """(number, values) of the next trial: the one that was begun and not ended, if any."""
        for begun in self._study.trials:
            if begun.state == self._optuna.trial.TrialState.RUNNING:
                self._study.tell(begun.number, state=self._optuna.trial.TrialState.FAIL)
                self._study.enqueue_trial(begun.params)
        number = len(self.ended())
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed)
        space = {name: self._distribution(d) for name, d in self._space.items()}
        self._asked = self._study.ask(space)
        return number, dict(self._asked.params)

    def tell(self, value: float, **told: Any) -> None:
        """The trial that was asked for is over; `value` may be no number.

        Args:
            value: the figure that is searched for.
            told: JSON values to keep beside it.
        """
        for name, each in {**told, ENDED: True}.items():
            self._asked.set_user_attr(name, each)
        if np.isfinite(value):
            self._study.tell(self._asked, value)
        else:
            self._study.tell(self._asked, state=self._optuna.trial.TrialState.FAIL)

    def ended(self) -> list[Any]:
        """optuna's frozen trials that are over, in their order."""
        return [trial for trial in self._study.trials if ENDED in trial.user_attrs]

    def _distribution(self, dimension: Dimension) -> Any:
        kinds = self._optuna.distributions
        if dimension.choices:
            return kinds.CategoricalDistribution(dimension.choices)
        if dimension.whole:
            return kinds.IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
        return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
