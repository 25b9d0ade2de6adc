"""Following the making of a model to its end, and telling what was made."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, model_lines, model_result

if TYPE_CHECKING:
    from ulmfit.bundle import Bundle
    from ulmfit.pipeline import Event


def make_model(events: Generator[Event, None, Bundle], out: str, as_json: bool) -> None:
    """Show progress, then the model's folder and its figures."""
    from ulmfit.cli.progress import follow
    from ulmfit.pipeline.runs import run_folder

    with making(out, run_folder(out)):
        result = model_result(follow(events), out)
    answer(result, model_lines(result), as_json)
