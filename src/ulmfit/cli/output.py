"""Results on stdout: for a person as text, with --json as one JSON object on the last line."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ulmfit.data.finite import finite
from ulmfit.figures import abstained, calibrated, compared, held_out, tested
from ulmfit.wording import folded

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle

MAX_CONFUSION = 10  # labels; beyond, the table does not fit on a terminal
MAX_LABELS = 40  # lines of a table
RATES = ("precision", "recall", "f1")


def answer(result: Mapping[str, object], lines: Iterable[str], as_json: bool) -> None:
    """Print `result` as JSON, or `lines` for a person."""
    if as_json:
        print(json.dumps(finite(result), allow_nan=False))
        return
    for line in lines:
        print(line)


def tell(lines: Iterable[str]) -> list[str]:
    """Print lines on stderr, where stdout holds rows; none are left for `answer`."""
    for line in lines:
        print(line, file=sys.stderr)
    return []


def fitted(lines: list[str]) -> list[str]:
    """Sentences as they are for a program; on a terminal no word is cut at its edge."""
    if not sys.stdout.isatty():
        return lines
    return [folded(line, shutil.get_terminal_size().columns) for line in lines]


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> list[str]:
    """Aligned columns: the first to the left, the others to the right."""
    every = [header, *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]


def model_result(bundle: Bundle, out: str) -> dict[str, Any]:
    """What there is to tell of a model just made."""
    result: dict[str, Any] = {
        "model": out,
        "kind": bundle.kind,
        "directions": list(bundle.directions),
        "vocabulary": bundle.architecture.vocabulary,
    }
    metrics = bundle.metrics
    if bundle.kind == "language-model":
        held_out = {d: metrics.get(d, {}).get("validation", {}) for d in bundle.directions}
        return {**result, "validation": held_out}
    counts = ("train_rows", "valid_rows", "pseudo_labelled")
    rows = {name: metrics[name] for name in counts if name in metrics}
    figures = {"validation": metrics.get("validation", {}), "test": metrics.get("test")}
    decided = {
        "calibration": metrics.get("calibration"),
        "abstain_below": bundle.target.abstain_below,
    }
    told = {"task": bundle.target.kind, "labels": bundle.labels}
    return {**result, **told, **rows, **figures, **decided}


def model_lines(result: Mapping[str, Any]) -> list[str]:
    """`model_result` for a person."""
    lines = [f"model       {result['model']}"]
    if result["kind"] == "language-model":
        return lines + [
            f"validation  {direction}: {figures['loss']:.4f} nats a token, "
            f"perplexity {figures['perplexity']:.2f}"
            for direction, figures in result["validation"].items()
            if figures
        ]
    kind, validation = result["task"], result["validation"]
    if validation:
        lines.append(
            f"validation  {held_out(kind, validation)} on the {result['valid_rows']:,} rows "
            "that chose the best epoch"
        )
    if result["calibration"]:
        lines.append(f"calibration {calibrated(result['calibration'])}")
    if result["abstain_below"]:
        lines.append(f"abstains    below a confidence of {result['abstain_below']:.4f}")
    if result["test"]:
        lines.append(f"test        {tested(kind, result['test'])}")
    if result.get("baseline"):
        lines.append(f"baseline    {compared(result['baseline'])}")
    if result.get("report"):
        lines.append(f"report      {result['report']}")
    return lines


def evaluation_lines(figures: Mapping[str, Any], curve: bool = False) -> list[str]:
    """The figures of a classifier for a person, with the curve of coverage if wanted."""
    kind = figures["kind"]
    lines = [tested(kind, figures)]
    if each := figures.get("each_direction"):
        told = (f"{direction} alone {held_out(kind, alone)}" for direction, alone in each.items())
        lines.append(", ".join(told))
    if kind == "real":
        return lines
    f1 = f"macro F1 {figures['macro_f1']:.4f}   " if kind == "single" else ""
    lines.append(
        f"{f1}log loss {figures['log_loss']:.4f} nats   "
        f"calibration error {figures['calibration_error']:.4f}"
    )
    if "calibration" in figures:
        lines.append(calibrated(figures["calibration"]))
    if "abstaining" in figures:
        lines.append(abstained(figures["abstaining"]))
    if curve:
        lines += ["", *_coverage(figures["coverage"])]
    return [*lines, "", *(_per_label(figures) if kind == "multi" else _confusion(figures))]


def _confusion(figures: Mapping[str, Any]) -> list[str]:
    labels = [_short(label) for label in figures["labels"]]
    if len(labels) > MAX_CONFUSION:
        return [f"the confusion of {len(labels)} labels is in the output of --json"]
    rows = [[name, *map(str, row)] for name, row in zip(labels, figures["confusion"], strict=True)]
    return table(rows, ["true \\ predicted", *labels])


def _per_label(figures: Mapping[str, Any]) -> list[str]:
    rows = [
        [_short(label, 30), *(f"{f[key]:.4f}" for key in RATES), f"{f['support']:,}"]
        for label, f in zip(figures["labels"], figures["per_label"], strict=True)
    ]
    lines = table(rows[:MAX_LABELS], ["label", "precision", "recall", "F1", "rows"])
    more = len(rows) - MAX_LABELS
    return [*lines, f"{more} more labels are in the output of --json"] if more > 0 else lines


def _coverage(points: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [f"{p['coverage']:.1%}", f"{p['confidence']:.4f}", f"{p['accuracy']:.2%}", f"{p['n']:,}"]
        for p in points
    ]
    return table(rows, ["answered", "confidence from", "right", "rows"])


def _short(label: str, width: int = 12) -> str:
    printable = " ".join(label.split())
    return printable if len(printable) <= width else printable[: width - 1] + "…"


def perplexity_lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures of a language model for a person."""
    return [
        f"nats a token     {figures['nats_per_token']:.4f}   (perplexity of tokens "
        f"{math.exp(min(700.0, figures['nats_per_token'])):,.2f})",
        f"word perplexity  {figures['word_perplexity']:,.2f}   over {figures['words']:,} words",
        f"bits a byte      {figures['bits_per_byte']:.4f}   over {figures['bytes']:,} bytes",
        f"unknown tokens   {figures['oov_rate']:.2%}   of {figures['tokens']:,}",
    ]
