"""Model cards: what a bundle's README.md says."""

from __future__ import annotations

import json
from typing import Any

from ulmfit.bundle import Bundle
from ulmfit.figures import abstained, calibrated, held_out, tested


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


TITLES = {
    "single": "A text classifier made with ulmfit",
    "multi": "A multi-label text classifier made with ulmfit",
    "ordinal": "A classifier of ordered labels made with ulmfit",
    "real": "A model of real values for texts, made with ulmfit",
}


def classifier_card(bundle: Bundle) -> str:
    """The card of a classifier."""
    kind, metrics = bundle.target.kind, bundle.metrics
    lines = [f"# {TITLES[kind]}", "", *_shape(bundle), *_target(bundle)]
    if pseudo := metrics.get("pseudo_labelled"):
        lines.append(f"- learned from {pseudo:,} texts, too, whose labels a classifier gave")
    lines += ["", "## Figures", ""]
    figures: dict[str, Any] = metrics.get("validation", {})
    if figures:
        loss = "" if kind == "real" else f", log loss {figures['loss']:.4f}"
        lines.append(
            f"- validation ({metrics['valid_rows']} rows that chose the best epoch): "
            f"{held_out(kind, figures)}{loss}"
        )
    if calibration := metrics.get("calibration"):
        lines.append(f"- {calibrated(calibration)} (on the validation rows)")
    if test := metrics.get("test"):
        f1 = f", macro F1 {test['macro_f1']:.4f}" if kind == "single" else ""
        lines.append(f"- test: {tested(kind, test)}{f1}")
        if abstaining := test.get("abstaining"):
            lines.append(f"- test, unsure answers left open: {abstained(abstaining)}")
    lines += ["", *_provenance(bundle)]
    lines += ["", "## Use", "", "    ulmfit predict THIS_FOLDER texts.csv -o out.csv", ""]
    return "\n".join(lines)


def _target(bundle: Bundle) -> list[str]:
    """What the outputs mean."""
    target = bundle.target
    if target.kind == "real":
        return [f"- values: mean {target.mean:g}, standard deviation {target.scale:g} in training"]
    order = ", from lowest to highest" if target.kind == "ordinal" else ""
    lines = [f"- labels{order}: {', '.join(map(_quoted, bundle.labels))}"]
    if target.thresholds:
        each = ", ".join(f"{threshold:.3f}" for threshold in target.thresholds)
        lines.append(f"- a label is given from these probabilities on: {each}")
    if target.abstain_below:
        lines.append(f"- no answer below a confidence of {target.abstain_below:.4f}")
    return lines


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
