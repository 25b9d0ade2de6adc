"""The head of the page: which model this is, and the figures to remember."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ulmfit.metrics import wilson_interval
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Child, Markup, element, join, shortened, spelled, text, user
from ulmfit.report.numbers import figure, interval, percent, plural, whole
from ulmfit.report.sections.frame import paragraph

KINDS = {
    "single": "one label a text",
    "multi": "any number of labels a text",
    "ordinal": "one rank a text",
}
FEW = 0.05  # share of rows that training has seen too, as public sets have it


def opening(found: Findings) -> Markup:
    """Title, one sentence, key figures, and what the page lacks."""
    return element(
        "header",
        paragraph("ulmfit report", class_="kicker"),
        element("h1", user(spelled(found.name), 80)),
        paragraph(_sentence(found), class_="lead"),
        _figures(found),
        _verdict(found),
        _lacks(found.lacks),
    )


def _sentence(found: Findings) -> Markup:
    bundle = found.bundle
    when = f", made on {_day(found.record.finished)}" if found.record else ""
    if bundle.kind == "language-model":
        told = f"A language model of {plural(bundle.architecture.vocabulary, 'word')}"
        return text(f"{told}, {' and '.join(bundle.directions)}{when}.")
    learned = bundle.provenance.get("labelled_rows")
    rows = f", learned from {plural(learned, 'labelled row')}" if isinstance(learned, int) else ""
    if rows and (pseudo := bundle.metrics.get("pseudo_labelled")):
        rows += f" and {plural(pseudo, 'pseudo-labelled text')}"
    kind = bundle.target.kind
    if kind == "real":
        return text(f"A model that gives each text a value{rows}{when}.")
    labels = plural(len(bundle.labels), "label")
    return text(f"A classifier of {labels} ({KINDS[kind]}){rows}{when}.")


def _day(stamp: str) -> str:
    """ "21 November 2026"."""
    try:
        day = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{day.day} {day:%B %Y}"


def _figures(found: Findings) -> Markup | None:
    shown = list(_language_model(found) if found.figures is None else _of_kind(found))
    cells = [
        element(
            "div", element("dt", name), element("dd", value), element("dd", note, class_="note")
        )
        for name, value, note in shown
    ]
    return element("dl", *cells, class_="figures") if cells else None


def _language_model(found: Findings) -> Iterator[tuple[str, str, str]]:
    if found.bundle.kind != "language-model":
        return
    for direction in found.bundle.directions:
        held_out = found.bundle.metrics.get(direction, {}).get("validation", {})
        if held_out:
            nats = f"{figure(held_out['loss'], 4)} nats a token, held out"
            yield f"Perplexity, {direction}", figure(held_out["perplexity"], 4), nats


def _of_kind(found: Findings) -> Iterator[tuple[str, str, str]]:
    told = found.figures
    assert told is not None
    kind, rows = found.bundle.target.kind, f"{whole(told['n'])} {_set(found.figures_of)} rows"
    if kind == "real":
        yield "Mean distance", figure(told["mae"]), f"from the true value, {rows}"
        yield from _baseline(found)
        yield "Root mean square", figure(told["rmse"]), "of the distances"
        yield "R²", figure(told["r2"], 2), "share of the variance explained"
        yield "Spearman", figure(told["spearman"], 2), "correlation of the ranks"
        return
    if kind == "multi":
        yield "Micro F1", percent(told["micro_f1"]), f"all pairs of text and label, {rows}"
        yield from _baseline(found)
        low, high = told["subset_accuracy_ci"]
        yield "Whole set right", percent(told["subset_accuracy"]), f"95%: {interval(low, high)}"
    else:
        low, high = told["accuracy_ci"]
        yield "Accuracy", percent(told["accuracy"]), f"95%: {interval(low, high)}; {rows}"
        yield from _baseline(found)
        if kind == "ordinal":
            yield "Mean distance", figure(told["mae"], 2), "in ranks"
        else:
            yield "Macro F1", percent(told["macro_f1"]), "mean over the labels"
    yield "Calibration error", percent(told["calibration_error"]), "0% would be honest"


def _baseline(found: Findings) -> Iterator[tuple[str, str, str]]:
    if found.baseline is None:
        return
    if found.baseline.kind == "multi":
        yield "TF-IDF beside it", percent(found.baseline.figures["micro_f1"]), "micro F1"
    elif found.baseline.kind == "real":
        yield "TF-IDF beside it", figure(found.baseline.figures["mae"]), "mean distance"
    else:
        right = found.baseline.right
        low, high = wilson_interval(int(right.sum()), len(right))
        yield "TF-IDF beside it", percent(float(right.mean())), f"95%: {interval(low, high)}"


def _set(name: str) -> str:
    return name if name in ("test", "validation") else f"“{spelled(shortened(name, 40))}”"


def _verdict(found: Findings) -> Markup | None:
    """What a reader must know to read the figures rightly."""
    if found.figures_of == "validation":
        return paragraph(
            "There was no test set: the figures are of the validation rows, which also chose the "
            "epoch to keep, so they are a little kind. Measure on rows of their own with ",
            element("code", "ulmfit report MODEL DATA"),
            ".",
            class_="remark",
        )
    measured = len(found.measured.labels) if found.measured else 0
    if FEW * measured < found.seen < measured:  # with all of them seen, `lacks` says it
        told = f"{whole(found.seen)} of {plural(measured, 'measured row')}"
        stand = "stands" if found.seen == 1 else "stand"
        return paragraph(
            f"{told} {stand} in the training data too, so the figures are kinder than new texts "
            "would make them.",
            class_="remark",
        )
    return None


def _lacks(sentences: list[str]) -> Markup | None:
    if not sentences:
        return None
    items: list[Child] = [element("li", spelled(sentence)) for sentence in sentences]
    title = paragraph("What this page cannot tell", class_="title")
    return element("aside", title, element("ul", join(*items)), class_="lacks")
