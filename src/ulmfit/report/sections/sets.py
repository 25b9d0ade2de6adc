"""How good it is where a text may have several labels."""

from __future__ import annotations

import numpy as np

from ulmfit.metrics import micro_f1, wilson_interval
from ulmfit.report.answers import Answered
from ulmfit.report.beside import bootstrap
from ulmfit.report.charts.whiskers import Estimate, whiskers
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Markup
from ulmfit.report.numbers import percent, plural, whole
from ulmfit.report.sections.frame import drawing, section
from ulmfit.report.sections.results import classes
from ulmfit.report.sections.verdict import learning, verdict


def set_results(found: Findings) -> Markup | None:
    """Nothing where nothing was measured."""
    if found.figures is None:
        return None
    told = found.figures["per_label"]
    true = np.array([label["support"] for label in told], np.int64)
    given = np.array([label["predicted"] for label in told], np.int64)
    hits = np.array([round(label["recall"] * label["support"]) for label in told], np.int64)
    return section(
        "results",
        "How good it is",
        _beside(found),
        classes(found.bundle.labels, hits, true, given),
    )


def _beside(found: Findings) -> Markup | None:
    """Micro F1 and whole sets, of the model and of the baseline, on the same rows."""
    model, baseline = found.measured, found.baseline
    if model is None or baseline is None or found.beside is None:
        return None
    rows = [
        *(_f1(a, name, style) for a, name, style in _both(model, baseline)),
        *(_whole_sets(a, f"{name}, sets", style) for a, name, style in _both(model, baseline)),
    ]
    told = "; ".join(f"{row.name} {percent(row.share)}" for row in rows)
    n = len(model.labels)
    drawn = f", drawn from {whole(len(model.part))}" if model.part.is_drawn else ""
    caption = f"on {plural(n, 'row')}{drawn}, 95% intervals"
    chart = whiskers("beside", "Beside the baseline", told, rows, caption)
    explained = (
        "Above, micro F1 over all pairs of a text and a label (interval by resampling the texts); "
        "below, the share of texts whose whole set of labels is right. "
        f"{verdict(found.beside)} {learning(found)}"
    )
    return drawing(chart, "Beside the baseline", explained, wide=True)


def _both(model: Answered, baseline: Answered) -> list[tuple[Answered, str, str]]:
    return [(model, "model", "model"), (baseline, "TF-IDF", "baseline")]


def _f1(answered: Answered, name: str, style: str) -> Estimate:
    labels, answers = answered.labels, answered.answers
    ends = bootstrap(len(labels), lambda rows: micro_f1(labels[rows], answers[rows]))
    return Estimate(name, micro_f1(labels, answers), *ends, style)


def _whole_sets(answered: Answered, name: str, style: str) -> Estimate:
    right, n = int(answered.right.sum()), len(answered.labels)
    return Estimate(name, right / n, *wilson_interval(right, n), style)
