"""Following the making of a model to its end, and telling what was made."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, fitted, model_lines, model_result
from ulmfit.cli.report import report_of, result_of

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle
    from ulmfit.pipeline import Event
    from ulmfit.pipeline.options import Machine


def make_model(
    events: Generator[Event, None, Bundle],
    out: str,
    as_json: bool,
    report_on: Machine | None = None,
) -> None:
    """Show progress, then the model's folder and its figures; with its report, if asked."""
    from ulmfit.cli.progress import follow
    from ulmfit.pipeline.runs import run_folder

    with making(out, run_folder(out)):
        result = model_result(follow(events), out)
    if report_on is not None:
        result |= result_of(report_of(out, report_on))
    answer(result, fitted(model_lines(result)), as_json)
