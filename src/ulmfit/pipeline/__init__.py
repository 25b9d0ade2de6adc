"""Floor 4: files in, bundles out. The command line calls these and nothing deeper."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from ulmfit.bundle import Bundle
from ulmfit.pipeline.classifiers import train
from ulmfit.pipeline.finetuning import finetune
from ulmfit.pipeline.options import FinetuneOptions, PretrainOptions
from ulmfit.pipeline.pretraining import pretrain
from ulmfit.pipeline.runs import Event, Note, Texts, asked

__all__ = ["Event", "Note", "Texts", "finetune", "pretrain", "resume", "train"]


def resume(run: Path, *, report_rows: int = 0) -> Generator[Event, None, Bundle]:
    """Go on with the unfinished run in the folder `run` (or of the model that it makes).

    Args:
        run: the folder.
        report_rows: as of `train`.

    Raises:
        InputError: there is no unfinished run.
    """
    _, options = asked(run)
    if isinstance(options, PretrainOptions):
        return pretrain(options, resuming=True)
    if isinstance(options, FinetuneOptions):
        return finetune(options, resuming=True)
    return train(options, resuming=True, report_rows=report_rows)
