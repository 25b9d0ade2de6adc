"""A plan as text: layer groups with peak rates, the epochs in which each learns, the expense."""

from __future__ import annotations

from itertools import groupby

from ulmfit.cli.output import table
from ulmfit.run import Plan, Validated
from ulmfit.tasks import group_names
from ulmfit.wording import count, duration

SHOWN = {  # figure of an epoch -> its name on the line
    "loss": "validation loss",
    "perplexity": "perplexity",
    "accuracy": "accuracy",
    "micro_f1": "micro F1",
    "mae": "mean distance",
}


def plan_lines(plan: Plan) -> list[str]:
    """The plan, top layer group first, within 80 columns."""
    groups = len(plan.phases[0]["peak_rates"])
    rows = [
        [f"  {name}", _rates(plan, group), _spans(_epochs(plan, group))]
        for group, name in reversed(list(enumerate(group_names(plan.stage, groups))))
    ]
    epochs = sum(phase["epochs"] for phase in plan.phases)
    return [
        f"plan: {plan.stage}",
        *table(rows, ["  layer group", "peak rate", "learns in epochs"]),
        f"  {epochs} epoch{'s' * (epochs != 1)}, {plan.steps:,} steps, "
        f"about {count(plan.tokens)} tokens, about {duration(plan.seconds)}",
    ]


def _rates(plan: Plan, group: int) -> str:
    """The group's peak rates, in the order in which they come."""
    rates = [phase["peak_rates"][group] for phase in plan.phases if group in phase["thawed"]]
    return ", ".join(f"{rate:.2g}" for rate in dict.fromkeys(rates)) or "-"


def _epochs(plan: Plan, group: int) -> list[int]:
    """The epochs, from 1, in which the group learns."""
    learns = [group in phase["thawed"] for phase in plan.phases for _ in range(phase["epochs"])]
    return [epoch for epoch, it_does in enumerate(learns, 1) if it_does]


def _spans(numbers: list[int]) -> str:
    """[1, 3, 4, 5] as "1, 3-5"."""
    runs = groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ends = [[number for _, number in run] for _, run in runs]
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in ends) or "never"


def epoch_line(record: Validated, train_loss: float) -> str:
    """One line on an epoch that is over."""
    parts = [f"epoch {record.epoch + 1}: train loss {train_loss:.4f}"]
    for name in filter(record.figures.__contains__, SHOWN):
        value = record.figures[name]
        told = f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"
        parts.append(f"{SHOWN[name]} {told}")
    return "  " + ", ".join(parts) + (" (kept)" if record.best else "")
