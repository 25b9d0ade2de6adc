"""Files of texts that are given beside the data: for the language model, or a teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ulmfit.errors import InputError
from ulmfit.pipeline.options import Source, TrainOptions


def unlabelled_sources(options: TrainOptions) -> list[Source]:
    """The unlabelled files, each checked.

    Raises:
        InputError: one cannot be read, or the language model is not fine-tuned at all and is
            asked to be, with no teacher to answer the texts either.
    """
    read = options.finetune or options.teacher
    for name, wrong in (
        ("--unlabelled", options.unlabelled and not read),
        ("--lm-epochs", options.lm_epochs and not options.finetune),
    ):
        if wrong:
            raise InputError(
                f"{name} is for fine-tuning the language model, which --no-finetune leaves out; "
                "drop one of the two"
            )
    return [alike(path, options.data) for path in options.unlabelled]


def alike(path: str, data: Source) -> Source:
    """A file of texts, read like the data where it looks like it, else by its own columns.

    Raises:
        InputError: it cannot be read either way.
    """
    suffixes = {Path(p).suffix for p in data.paths}
    source = replace(
        data.without_labels(),
        paths=(path,),
        format=data.format if Path(path).suffix in suffixes else None,
    )
    by_itself = replace(source, text=())
    try:
        source.check()
    except InputError:
        if source == by_itself or not _opens(by_itself):
            raise
        return by_itself
    return source


def _opens(source: Source) -> bool:
    try:
        source.check()
    except InputError:
        return False
    return True
