"""How good it is where the answers are values."""

from __future__ import annotations

from ulmfit.metrics import score_values
from ulmfit.report.answers import Answered
from ulmfit.report.charts.scatter import scatter
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Child, Markup, element
from ulmfit.report.numbers import figure, plural, whole
from ulmfit.report.sections.frame import drawing, drawings, paragraph, section
from ulmfit.report.sections.verdict import learning, verdict
from ulmfit.report.tables import table


def value_results(found: Findings) -> Markup | None:
    """Nothing where there are no rows to compare with."""
    measured = found.measured
    if measured is None:
        return None
    told = score_values(measured.labels, measured.answers)
    seen = f"mean distance {figure(told.mae)}, R² {figure(told.r2, 2)}"
    chart = scatter("scatter", "Predicted and true values", seen, measured.labels, measured.answers)
    drawn = f", drawn from {whole(len(measured.part))}" if measured.part.is_drawn else ""
    rows = f"{plural(len(measured.labels), 'row')}{drawn}"
    caption = f"A point is a text, {rows}; right ones lie on the line."
    left = drawing(chart, "Predicted against true", caption)
    return section("results", "How good it is", drawings(left, _beside(measured, found)))


def _beside(measured: Answered, found: Findings) -> Markup:
    every = [("this model", measured), ("TF-IDF + ridge regression", found.baseline)]
    rows = [_row(name, answered) for name, answered in every if answered is not None]
    header = ("", "Mean distance", "RMSE", "R²", "Spearman")
    shown = table("The model beside the baseline", header, rows)
    told = None
    if found.beside is not None:
        told = paragraph(f"{verdict(found.beside)} {learning(found)}", class_="remark")
    return element("div", element("h3", "Beside the baseline"), shown, told)


def _row(name: str, answered: Answered) -> list[Child]:
    told = score_values(answered.labels, answered.answers)
    return [name, figure(told.mae), figure(told.rmse), figure(told.r2, 2), figure(told.spearman, 2)]
