"""A model card as the hub reads it: YAML in front of the card that the bundle has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ulmfit.bundle import Bundle

FRONT = re.compile(r"\A\ufeff?---\s*\n.*?\n---[ \t]*\n", re.DOTALL)
KINDS = {"classifier": "text-classification", "language-model": "text-generation"}
HUB_NAMES = {"macro_f1": "f1"}
"""our name of a figure -> the hub's, where they differ"""
PARTS = {
    "test": "test rows",
    "validation": "validation rows, which chose the best epoch",
    "forward": "held-out text, forward",
    "backward": "held-out text, backward",
}


def hub_card(bundle: Bundle, card: str, license: str | None = None) -> str:
    """`card` with a front matter that the hub's index takes: license, tags, task and figures.

    Args:
        bundle: the model.
        card: the bundle's README.md; a front matter that it has is replaced.
        license: an identifier of the hub ("apache-2.0", "cc-by-sa-4.0", "other"); None leaves
            it out, and then nobody may use the model without asking.
    """
    from huggingface_hub import EvalResult, ModelCardData

    task = KINDS[bundle.kind]
    results = [
        EvalResult(
            task_type=task,
            dataset_type="own-data",
            dataset_name=f"the author's data, {part}",
            metric_type=HUB_NAMES.get(name, name),
            metric_value=value,
        )
        for part, name, value in figures(bundle.metrics)
    ]
    data = ModelCardData(
        license=license,
        library_name="ulmfit",
        tags=["ulmfit", "awd-lstm", bundle.kind, "pytorch", "safetensors"],
        pipeline_tag=task,
        model_name="ulmfit model",
        eval_results=results or None,
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{FRONT.sub('', card).lstrip()}"


def figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """(part, name, value) of the figures that are single numbers: on test rows, else validation."""
    parts = ["test"] if metrics.get("test") else ["validation", "forward", "backward"]
    for part in parts:
        told = metrics.get(part) or {}
        if part in ("forward", "backward"):  # a language model's; a classifier's is averaged
            told = {} if "validation" in metrics else told.get("validation", {})
        for name, value in told.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and name != "epoch":
                yield PARTS[part], name, value
