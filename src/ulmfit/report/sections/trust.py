"""Whether its probabilities can be believed, and what leaving the unsure answers open gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.metrics import coverage_curve, wilson_interval
from ulmfit.report.answers import Answered
from ulmfit.report.charts.lines import Line, lines
from ulmfit.report.charts.reliability import Bin, reliability
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Markup
from ulmfit.report.numbers import percent, signed
from ulmfit.report.sections.frame import drawing, drawings, paragraph, section
from ulmfit.targets.kinds import Floats

BINS = 10
SHARES = tuple(k / 20 for k in range(20, 0, -1))
HONEST = "On the broken line it would be right as often as it says."
TOLD = 0.8  # of the texts, in the sentence under the curve


def trust(found: Findings) -> Markup | None:
    """Nothing where there are no probabilities, or no rows to compare them with."""
    measured = found.measured
    if measured is None or measured.kind == "real":
        return None
    return section(
        "trust",
        "Can its confidence be trusted?",
        drawings(_calibration(measured), _coverage(measured)),
        _temperature(found.bundle.metrics.get("calibration")),
        _border(found.bundle.target.abstain_below, measured),
    )


def said(measured: Answered) -> tuple[Floats, NDArray[np.bool_]]:
    """How probable things were called, and whether they came true.

    The answers; of several labels a text, every label of every text.
    """
    if measured.kind == "multi":
        return measured.probabilities.ravel(), measured.labels.astype(bool).ravel()
    return measured.sure, measured.right


def bins(sure: Floats, right: NDArray[np.bool_]) -> list[Bin]:
    """Ten steps of probability, those without a text left out."""
    place = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    found = []
    for number in np.unique(place):
        inside = place == number
        n, hits = int(inside.sum()), int(right[inside].sum())
        low, high = float(number / BINS), float((number + 1) / BINS)
        mean = float(sure[inside].mean())
        found.append(Bin(low, high, n, mean, hits / n, wilson_interval(hits, n)))
    return found


def _calibration(measured: Answered) -> Markup:
    sure, right = said(measured)
    mean, share = float(sure.mean()), float(right.mean())
    if measured.kind == "multi":
        caption = f"Every label of every text counts once. {HONEST}"
    else:
        gap = mean - share
        how = "about as sure as it is right"
        if abs(gap) > 0.02:
            how = "surer than it is right" if gap > 0 else "less sure than it is right"
        caption = (
            f"On average it is {percent(mean)} sure and {percent(share)} right: {how} "
            f"({signed(100 * gap, 1)} points). {HONEST}"
        )
    found = bins(sure, right)
    told = "; ".join(f"said {percent(b.sure, 0)}, came true {percent(b.right, 0)}" for b in found)
    chart = reliability("calibration", "Calibration", told, found, "probability that it gave")
    return drawing(chart, "As often right as it says?", caption)


def _coverage(measured: Answered) -> Markup | None:
    if measured.kind == "multi":
        right, of = measured.right, "whole sets right"
    else:
        right, of = measured.right, "right"
    curve = coverage_curve(measured.sure, right, SHARES)
    if len(curve) < 2:
        return None
    point = min(curve, key=lambda p: abs(p.coverage - TOLD))
    caption = (
        f"Answering only the surest {percent(point.coverage, 0)} of the texts (confidence from "
        f"{percent(point.confidence)}), it has {percent(point.accuracy)} {of}, instead of "
        f"{percent(curve[0].accuracy)} of all."
    )
    drawn = Line("", [(p.coverage, p.accuracy) for p in reversed(curve)], "model", dots=True)
    chart = lines(
        "coverage",
        "What leaving unsure answers open gains",
        caption,
        [drawn],
        "share of the texts that is answered",
        horizontal=(0.0, 1.0),
        written=lambda v: percent(v, 0),
        below=lambda v: percent(v, 0),
    )
    return drawing(chart, "If it may abstain", caption)


def _temperature(told: Mapping[str, Any] | None) -> Markup | None:
    """What calibration on the validation rows did, where it was asked for."""
    if not told or "temperature" not in told:
        return None
    return paragraph(
        f"The probabilities were calibrated on {told['rows']:,} validation rows: divided by a "
        f"temperature of {told['temperature']:.2f}, their error there went from "
        f"{percent(told['error_before'])} to {percent(told['error_after'])}.",
        class_="remark",
    )


def _border(least: float | None, measured: Answered) -> Markup | None:
    """What remains where the model was made to abstain."""
    if not least:
        return None
    answered = measured.sure >= least
    told = f"It gives no answer below a confidence of {percent(least)}: here it answers "
    told += f"{percent(float(answered.mean()))} of the texts"
    if answered.any():
        told += f", {percent(float(measured.right[answered].mean()))} of them rightly"
    return paragraph(f"{told}. The other figures count every answer.", class_="remark")
