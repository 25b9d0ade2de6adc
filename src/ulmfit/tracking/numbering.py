"""Which step of its stage an event belongs to, in a resumed run too."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any

from ulmfit.run import Plan
from ulmfit.training.loop import Step


@dataclass
class Numbering:
    """Follows one stage and direction after another; its values are kept for a resumed run.

    A resumed run tells no plan of the stage that it goes on with, and counts a step within its
    phase; the phases before it are remembered here.
    """

    stage: str = ""
    epochs: list[int] = field(default_factory=list)
    """of each phase"""
    totals: dict[str, int] = field(default_factory=dict)
    """steps of each phase that was met, by its number; JSON makes keys strings"""
    last: int = 0
    """the newest step"""

    def begin(self, plan: Plan) -> None:
        """A stage begins."""
        self.stage = plan.stage.replace(",", "")
        self.epochs = [phase["epochs"] for phase in plan.phases]
        self.totals = {}
        self.last = 0

    def number(self, step: Step) -> int:
        """The step, counted over all phases of the stage, from 1."""
        phase = self._phase(step.epoch)
        self.totals[str(phase)] = step.total
        before = sum(self.totals.get(str(earlier), 0) for earlier in range(phase))
        self.last = before + step.step
        return self.last

    def _phase(self, epoch: int) -> int:
        ends = accumulate(self.epochs)
        return next((i for i, end in enumerate(ends) if epoch < end), 0)

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
