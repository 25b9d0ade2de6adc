"""Model cards: what a bundle's README.md says."""

from __future__ import annotations

import json
from typing import Any

from ulmfit.bundle import Bundle


def language_model_card(bundle: Bundle) -> str:
    """The card of a language model."""
    lines = ["# A language model made with ulmfit", "", *_shape(bundle), "", "## Held-out figures"]
    for direction in bundle.directions:
        figures = bundle.metrics.get(direction, {}).get("validation", {})
        if figures:
            loss, perplexity = figures["loss"], figures["perplexity"]
            lines.append(f"- {direction}: {loss:.4f} nats a token, perplexity {perplexity:.2f}")
    lines += ["", *_provenance(bundle)]
    lines += ["", "## Use", "", "    ulmfit train data.csv --lm THIS_FOLDER --out model", ""]
    return "\n".join(lines)


def classifier_card(bundle: Bundle) -> str:
    """The card of a classifier."""
    lines = ["# A text classifier made with ulmfit", "", *_shape(bundle)]
    lines.append(f"- labels: {', '.join(map(_quoted, bundle.labels))}")
    lines += ["", "## Figures", ""]
    figures: dict[str, Any] = bundle.metrics.get("validation", {})
    if figures:
        lines.append(
            f"- validation ({bundle.metrics['valid_rows']} rows that chose the best epoch): "
            f"accuracy {figures['accuracy']:.4f}, log loss {figures['loss']:.4f}"
        )
    if test := bundle.metrics.get("test"):
        low, high = test["accuracy_ci"]
        lines.append(
            f"- test ({test['n']} rows): accuracy {test['accuracy']:.4f} "
            f"(95% {low:.4f} to {high:.4f}), macro F1 {test['macro_f1']:.4f}"
        )
    lines += ["", *_provenance(bundle)]
    lines += ["", "## Use", "", "    ulmfit predict THIS_FOLDER texts.csv -o out.csv", ""]
    return "\n".join(lines)


def _shape(bundle: Bundle) -> list[str]:
    a = bundle.architecture
    return [
        f"- AWD-LSTM, embedding {a.embedding}, hidden {a.hidden}, {a.layers} layers",
        f"- vocabulary {a.vocabulary:,}",
        f"- directions: {', '.join(bundle.directions)}",
        f"- preset: {bundle.preset}",
    ]


def _quoted(label: str) -> str:
    return "`" + label.replace("`", "'").replace("\n", " ") + "`"


def _provenance(bundle: Bundle) -> list[str]:
    told = json.dumps(bundle.provenance, indent=2, ensure_ascii=False)
    return ["## Where it comes from", "", "```json", told, "```"]
