"""TensorBoard: event files in a folder that `tensorboard --logdir` shows."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from ulmfit.extras import extra

FOLDER = "runs"  # where TensorBoard's own writers put them


def summary_writer() -> Any:
    """torch's writer class, which needs the package `tensorboard`.

    Raises:
        InputError: the extra is not installed.
    """
    extra("tensorboard", "track", "tracking with TensorBoard")
    return extra("torch.utils.tensorboard", "track", "tracking with TensorBoard").SummaryWriter


def open_tensorboard(where: str | None, name: str, identity: str | None) -> InTensorBoard:
    """A folder of its own below `where`; that of an earlier process if there is one.

    What is told twice stands there twice, and is the same: a resumed run repeats its steps.
    """
    folder = identity or str(_new_folder(Path(where or FOLDER), name).absolute())
    return InTensorBoard(folder, summary_writer()(folder))


def _new_folder(below: Path, name: str) -> Path:
    """Named by the time; runs of one name and second have folders of their own."""
    first = below / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    others = (first.with_name(f"{first.name}-{number}") for number in count(2))
    return next(folder for folder in chain([first], others) if not folder.exists())


class InTensorBoard:
    """Writes to a folder."""

    def __init__(self, folder: str, writer: Any) -> None:
        self.identity = folder
        self._writer = writer

    def parameters(self, values: Mapping[str, str]) -> None:
        """As a table of text; nothing in it is taken for markup."""
        rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
        self._writer.add_text("parameters", "\n".join(["| name | value |", "|---|---|", *rows]))

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Scalars."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def flush(self) -> None:
        """To the disk."""
        self._writer.flush()

    def close(self, finished: bool) -> None:
        """Whether it is finished is nothing that TensorBoard shows."""
        self._writer.close()


def _cell(text: str) -> str:
    return html.escape(text).replace("|", "\\|").replace("\n", " ")
