"""The rows of `--test`: counted at the door, measured once the model is made."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.evaluating import evaluate
from ulmfit.pipeline.known import count_known
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.runs import Event, Note


def test_source(options: TrainOptions, draw: Draw, skipped: list[str]) -> tuple[Source | None, int]:
    """The test rows, whose labels the model will know, and how many they are.

    Raises:
        InputError: a row is bad, none has a label, or one that is not among the draw's.
    """
    if not options.test:
        return None, 0
    test = replace(
        options.data,
        paths=options.test,
        separator=draw.separator or None,
        sample_weight=None,
    )
    test.check(need_label=True)
    return test, count_known(test, draw.names, skipped.append, draw.kind)


def measured(bundle: Bundle, test: Source, options: TrainOptions) -> Generator[Event, None, Bundle]:
    """The bundle with its figures of the test rows, or as it is where they cannot be read now."""
    yield Note("measuring on the test rows")
    try:
        figures = evaluate(bundle, test, options.machine)
    except (InputError, OSError) as error:  # they were right at the door, and the model is made
        wrong = str(error)
    else:
        return replace(bundle, metrics={**bundle.metrics, "test": figures})
    yield Note(
        f"the test rows cannot be measured any more: {wrong}; the model is saved without their "
        f"figures, which `ulmfit evaluate {options.out} FILE` tells"
    )
    return bundle
