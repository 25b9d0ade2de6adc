"""The record of a fit: what `training.jsonl` will say, kept with the estimator until it is saved.

Packed, a step takes some thirty bytes: the 3,300 steps of TREC 0.1 MB, beside 40 MB of weights.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ulmfit.bundle import Bundle
from ulmfit.estimator.plain import lm_name
from ulmfit.files import write_atomically
from ulmfit.pipeline.drawing import Draw
from ulmfit.pipeline.inputs import inputs
from ulmfit.pipeline.options import TrainOptions
from ulmfit.pipeline.record import FILE, FIT, content
from ulmfit.pipeline.sessions import Sizes, session
from ulmfit.remote import is_remote, local_folder

OF_FILES = ("data", "out", "unlabelled", "test", "labels", "teacher", "pseudo_labels", "align")
"""options of `ulmfit train` that a fit has none of"""


def asked(options: TrainOptions, draw: Draw, sizes: Sizes) -> dict[str, Any]:
    """The record's first line: how the model was asked for, without texts or places of files.

    Args:
        options: as of `ulmfit train`.
        draw: the labels.
        sizes: (input, output) of each layer of the language model.

    Raises:
        OSError: the language model cannot be read.
    """
    lm = options.language_model
    told = asdict(replace(options, order=tuple(draw.names) if draw.kind == "ordinal" else ()))
    told["lm"] = lm_name(lm)
    read = inputs(replace(options, lm=str(local_folder(lm))))
    return {
        "command": FIT,
        "command_line": [],
        "options": {name: value for name, value in told.items() if name not in OF_FILES},
        "inputs": [{**one, "path": lm_name(lm)} for one in read],
        "sessions": [session(options.machine, sizes)],
    }


def packed(asked: dict[str, Any], run: Path, bundle: Bundle) -> bytes:
    """The record of the run in the folder `run`, which is over."""
    return zlib.compress(content(asked, run, bundle.metrics))


def write(record: bytes | None, folder: Path) -> None:
    """Put a packed record into a model's folder; None is none.

    Raises:
        OSError: the disk is full, and the like.
    """
    if record is not None:
        write_atomically(folder / FILE, zlib.decompress(record))


def read(folder: str | PathLike[str]) -> bytes | None:
    """The record in a model's folder, packed; None where there is none, as in a hub's models."""
    if is_remote(fspath(folder)):
        return None
    path = Path(folder) / FILE
    return zlib.compress(path.read_bytes()) if path.is_file() else None
