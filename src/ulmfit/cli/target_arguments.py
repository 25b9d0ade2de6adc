"""The arguments of `ulmfit train` that say what the labels are and how they are learned."""

from __future__ import annotations

import re
from json import loads
from typing import Annotated, Any, Literal, cast

import typer

from ulmfit.errors import InputError

KindName = Literal["single", "multi", "ordinal", "real"]
LossName = Literal["cross-entropy", "focal"]
Weights = Literal["balanced"] | dict[str, float] | None

Task = Annotated[
    KindName | None,
    typer.Option(
        "--task",
        help="One label a text, several, labels with an order, or a number "
        "[multi where labels are lists, else single].",
    ),
]
Order = Annotated[
    list[str] | None,
    typer.Option(
        "--order", metavar="LABEL", help="Labels of an ordinal task, lowest first; repeat."
    ),
]
SampleWeight = Annotated[
    str | None,
    typer.Option("--sample-weight", metavar="COLUMN", help="Column with how much a row counts."),
]
ClassWeights = Annotated[
    str | None,
    typer.Option(
        "--class-weights",
        metavar="WEIGHTS",
        help="balanced (rare labels count as much), or LABEL=2,OTHER=0.5, or a JSON object.",
    ),
]
Loss = Annotated[
    LossName,
    typer.Option("--loss", help="focal: what is answered well counts less."),
]
FocalGamma = Annotated[
    float, typer.Option("--focal-gamma", metavar="X", min=0, help="Exponent of the focal loss.")
]
LabelSmoothing = Annotated[
    float,
    typer.Option(
        "--label-smoothing", metavar="X", min=0, help="Share of the target spread over all labels."
    ),
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate/--no-calibrate", help="Temperature scaling, fitted on validation rows."
    ),
]
Coverage = Annotated[
    float | None,
    typer.Option(
        "--coverage",
        metavar="SHARE",
        min=0,
        max=1,
        help="Set --abstain-below so that this share of the validation rows is answered.",
    ),
]
PAIR = re.compile(r"(.+?)=([-+.\deE]+)(?:,|$)")


def class_weights(given: str | None) -> Weights:
    """The value of `--class-weights`.

    Raises:
        InputError: it is none of the forms.

    >>> class_weights("a=2,b, or c=0.5")
    {'a': 2.0, 'b, or c': 0.5}
    """
    if given is None or given == "balanced":
        return cast(Weights, given)
    try:
        if given.lstrip().startswith("{"):
            return _weights(loads(given).items())
        pairs = PAIR.findall(given)
        if "".join(f"{name}={weight}," for name, weight in pairs) in (given, f"{given},"):
            return _weights(pairs)
    except (ValueError, TypeError, AttributeError):
        pass
    raise InputError(
        f"--class-weights {given}: 'balanced' is meant, or LABEL=WEIGHT,LABEL=WEIGHT, or a JSON "
        "object of labels and numbers"
    )


def _weights(pairs: Any) -> dict[str, float]:
    return {str(name): float(weight) for name, weight in pairs}
