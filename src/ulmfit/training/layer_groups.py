"""Which parameters learn when: gradual unfreezing, chain-thaw, everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from ulmfit.training.schedules import Schedule

Groups = Sequence[Sequence[nn.Parameter]]
"""Layer groups, lowest first."""


@dataclass(frozen=True)
class Phase:
    """A run of epochs over which the same groups learn by one schedule."""

    name: str
    epochs: int
    thawed: tuple[int, ...]
    """numbers of the groups that learn, 0 the lowest"""
    peaks: tuple[float, ...]
    """peak rate of each group, thawed or not"""
    schedule: Schedule

    def rates(self, step: int, total: int) -> list[float]:
        """The rate of each group at `step` of the phase's `total`; 0 where frozen."""
        return [
            self.schedule(step, total, peak) if i in self.thawed else 0.0
            for i, peak in enumerate(self.peaks)
        ]


def set_thawed(groups: Groups, thawed: Sequence[int]) -> None:
    """Let the groups named learn and freeze the rest."""
    for i, group in enumerate(groups):
        for parameter in group:
            parameter.requires_grad_(i in thawed)


def all_at_once(peaks: Sequence[float], epochs: int, schedule: Schedule) -> list[Phase]:
    """Every group from the start ("full" in v2, sec. 5)."""
    return [Phase("all", epochs, tuple(range(len(peaks))), tuple(peaks), schedule)]


def gradual_unfreezing(
    peaks: Sequence[float],
    epochs: int,
    schedule: Schedule,
    stage_epochs: int = 1,
    last_schedule: Schedule | None = None,
    stages: int | None = None,
) -> list[Phase]:
    """The last group first, one more below it each stage, then all (v2, sec. 3.3).

    Args:
        peaks: peak rate of each group, lowest first.
        epochs: epochs of the last phase, in which all learn.
        schedule: of each stage.
        stage_epochs: epochs of each stage before the last phase.
        last_schedule: of the last phase; None takes `schedule`.
        stages: how many stages before all; None gives one to each group but the lowest
            (the scripts stop after two).
    """
    n = len(peaks)
    count = n - 1 if stages is None else min(stages, n - 1)
    phases = [
        Phase(f"last {k}", stage_epochs, tuple(range(n - k, n)), tuple(peaks), schedule)
        for k in range(1, count + 1)
    ]
    return phases + all_at_once(peaks, epochs, last_schedule or schedule)


def chain_thaw(
    peak_last: float,
    peak_rest: float,
    groups: int,
    epochs: int,
    schedule: Schedule,
    last_schedule: Schedule | None = None,
) -> list[Phase]:
    """The last group alone, then each group alone from the lowest up, then all.

    Felbo et al. 2017; v2's ablation uses 1e-3 for the last and 1e-4 for the rest. The last phase
    has `last_schedule`; None takes `schedule`.
    """
    peaks = (peak_rest,) * (groups - 1) + (peak_last,)
    order = [groups - 1, *range(groups - 1)]
    alone = [Phase(f"layer {i}", 1, (i,), peaks, schedule) for i in order]
    return alone + all_at_once(peaks, epochs, last_schedule or schedule)
