"""A model in training as numbered files of a given size: written whole, joined again, checked.

Weights are rounded to bf16 or to int8 rows (`ulmfit.compact`) and cut into weights.000,
weights.001, ...; state.json, written last, says what they are and how far the training was. The
optimizer's moments would be four times as much and are left out: who goes on from pieces begins
with fresh ones, which cost it some hundred steps.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from ulmfit.compact import Storage, pack, unpack
from ulmfit.errors import InputError
from ulmfit.files import write_atomically

STATE = "state.json"
LIMIT = 16_000_000  # bytes of a file, at most


def write(
    weights: dict[str, Tensor],
    told: dict[str, Any],
    folder: Path,
    storage: Storage = "bf16",
    limit: int = LIMIT,
) -> None:
    """Put pieces and state.json in `folder`, in place of those that stand there."""
    aside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    small = pack({k: t.detach().float().cpu() for k, t in weights.items()}, storage)
    data = safetensors.torch.save({k: t.contiguous() for k, t in small.items()})
    names = []
    for number, start in enumerate(range(0, len(data), limit)):
        names.append(f"weights.{number:03}")
        (aside / names[-1]).write_bytes(data[start : start + limit])
    digest = hashlib.sha256(data).hexdigest()
    whole = {**told, "storage": storage, "pieces": names, "bytes": len(data), "sha256": digest}
    write_atomically(aside / STATE, (json.dumps(whole, indent=1) + "\n").encode())
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def join(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights in fp32, and what state.json says.

    Raises:
        InputError: a piece is missing, cut or changed.
    """
    try:
        told = json.loads((folder / STATE).read_text("utf8"))
        data = b"".join((folder / name).read_bytes() for name in told["pieces"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not the pieces of a model ({error})") from None
    if len(data) != told["bytes"] or hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise InputError(
            f"{folder}: the pieces have {len(data)} bytes together, {STATE} says "
            f"{told['bytes']}, or they were changed; copy them again"
        )
    return unpack(safetensors.torch.load(data)), told
