"""How good it is where each text has one label: classes, confusions, the baseline beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ulmfit.metrics import wilson_interval
from ulmfit.report.charts.heat import MOST, NAMED, heat
from ulmfit.report.charts.whiskers import Estimate, small_whisker, whiskers
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Child, Markup, element, join, shortened, user
from ulmfit.report.numbers import figure, interval, percent, plural, whole
from ulmfit.report.sections.frame import drawing, drawings, folded, paragraph, section
from ulmfit.report.sections.verdict import learning, verdict
from ulmfit.report.tables import table
from ulmfit.targets.kinds import Rows

FEW, WEAKEST = 30, 20  # classes shown at once, and of more the weakest
PAIRS = 8  # confusions listed
SIDES = "lrllr"  # of the table of labels


def results(found: Findings) -> Markup | None:
    """Nothing where nothing was measured."""
    if found.figures is None:
        return None
    names = found.bundle.labels
    counts = np.array(found.figures["confusion"], np.int64)
    return section(
        "results",
        "How good it is",
        _beside(found),
        classes(names, counts.diagonal(), counts.sum(1), counts.sum(0)),
        _confusion(names, counts),
        _ranks(found),
    )


def _ranks(found: Findings) -> Markup | None:
    """Of labels that have an order, how far off the answers are."""
    told = found.figures
    if told is None or found.bundle.target.kind != "ordinal":
        return None
    kappa, mae = figure(told["quadratic_kappa"], 2), figure(told["mae"], 2)
    return paragraph(
        f"An answer is {mae} ranks from the true one on average; Cohen's kappa with quadratic "
        f"weights is {kappa} (1: all right, 0: no better than chance).",
        class_="remark",
    )


def _beside(found: Findings) -> Markup | None:
    """The model and the baseline on the same rows."""
    if found.measured is None or found.baseline is None:
        return None
    model, baseline = found.measured, found.baseline
    most = int(np.bincount(model.labels).max())
    rows = [
        _estimate("this model", int(model.right.sum()), len(model.right), "model"),
        _estimate("TF-IDF + LR", int(baseline.right.sum()), len(model.right), "baseline"),
        _estimate("commonest label", most, len(model.right), "quiet"),
    ]
    told = "; ".join(f"{row.name} {percent(row.share)}" for row in rows)
    n = len(model.right)
    drawn = f", drawn from {whole(len(model.part))}" if model.part.is_drawn else ""
    caption = f"accuracy on {plural(n, 'row')}{drawn}, 95% intervals"
    chart = whiskers("beside", "Accuracy beside the baseline", told, rows, caption)
    return drawing(chart, "Beside the baseline", _difference(found), wide=True)


def _estimate(name: str, right: int, n: int, style: str) -> Estimate:
    low, high = wilson_interval(right, n)
    return Estimate(name, right / n, low, high, style)


def _difference(found: Findings) -> str:
    assert found.beside is not None
    return f"{verdict(found.beside)} {learning(found)}"


def classes(names: Sequence[str], hits: Rows, true: Rows, given: Rows) -> Markup:
    """Precision, recall and F1 of each class with intervals; of many the weakest first."""
    f1 = 2 * hits / np.maximum(1, true + given)
    rows = [_class(names[i], int(hits[i]), int(true[i]), int(given[i])) for i in range(len(names))]
    header = ("Label", "Rows", "Precision", "Recall", "F1")
    if len(names) <= FEW:
        shown: list[Markup | None] = [table("Each label", header, rows, SIDES)]
    else:
        known = [int(i) for i in np.argsort(f1, kind="stable") if true[i]]
        weakest = [rows[i] for i in known[:WEAKEST]]
        shown = [
            paragraph(f"The {len(weakest)} weakest of {whole(len(names))} labels:"),
            table("The weakest labels", header, weakest, SIDES),
            folded(f"All {whole(len(names))} labels", table("All labels", header, rows, SIDES)),
        ]
    note = paragraph(
        "Precision: of the rows given the label, the share that has it. Recall: of the rows that "
        "have it, the share that was given it. With each its 95% interval (Wilson).",
        class_="remark",
    )
    return join(element("h3", "Each label"), *shown, note)


def _class(name: str, hits: int, true: int, given: int) -> Sequence[Child]:
    f1 = 2 * hits / (true + given) if true + given else None
    cells = (_share(hits, given), _share(hits, true))
    return (user(name, 60), whole(true), *cells, percent(f1))


def _share(hits: int, n: int) -> Child:
    if not n:
        return "–"
    low, high = wilson_interval(hits, n)
    return element(
        "span",
        element("span", percent(hits / n), class_="main"),
        small_whisker(hits / n, low, high, "model"),
        element("small", interval(low, high)),
        class_="share",
    )


def _confusion(names: Sequence[str], counts: Rows) -> Markup:
    chart = None
    if len(names) <= MOST:
        right, n = int(counts.diagonal().sum()), int(counts.sum())
        told = f"{right:,} of {n:,} rows lie on the diagonal. {_pairs_told(names, counts)}"
        drawn = heat("confusion", "Confusion matrix", told, names, counts.tolist())
        caption = "Rows are the true labels, columns the answers; the shade is the share of a row."
        if len(names) > NAMED:
            caption += " Point at a square to read its labels."
        chart = drawing(drawn, "What is taken for what", caption, wide=len(names) < 3)
    listed = _pairs(names, counts)
    return drawings(chart, listed) if chart or listed else join()


def _largest(counts: Rows) -> list[tuple[int, int, int]]:
    """(count, true, given) of the most frequent confusions."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    places = [np.unravel_index(int(i), wrong.shape) for i in order]
    return [(int(wrong[t, g]), int(t), int(g)) for t, g in places if wrong[t, g]]


def _pairs_told(names: Sequence[str], counts: Rows) -> str:
    found = _largest(counts)[:3]
    told = [
        f"{shortened(names[t], 40)} for {shortened(names[g], 40)} {plural(n, 'time')}"
        for n, t, g in found
    ]
    return f"Most often mistaken: {', '.join(told)}." if told else "Nothing is mistaken."


def _pairs(names: Sequence[str], counts: Rows) -> Markup | None:
    if len(names) < 3:
        return None
    rows = [
        (
            join(user(names[t], 30), " → ", user(names[g], 30)),
            whole(n),
            percent(n / int(counts[t].sum())),
        )
        for n, t, g in _largest(counts)
    ]
    if not rows:
        return None
    shown = table("Most frequent confusions", ("True → answered", "Rows", "Of the label"), rows)
    return element("div", element("h3", "Most frequent confusions"), shown)
