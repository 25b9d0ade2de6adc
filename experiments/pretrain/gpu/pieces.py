"""A model in training as numbered files of a given size: written whole, joined again, checked.

Weights are rounded to bf16 or to int8 rows (`ulmfit.compact`) and cut into weights.a.000,
weights.a.001, ...; state.json says which files they are and how far the training was. The next
ones are weights.b.000, ...: it is the new state.json, put in place in one go, that makes them the
model, and only then are the old ones removed. So a process may be killed at any moment.

The optimizer's moments would be four times as much and are left out: who goes on from pieces
begins with fresh ones, which cost it some hundred steps.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from ulmfit.compact import Storage, pack, unpack
from ulmfit.errors import InputError
from ulmfit.files import write_atomically

STATE = "state.json"
LIMIT = 16_700_000  # bytes of a file, at most: what comes back may have 16 MiB


def write(
    weights: dict[str, Tensor],
    told: dict[str, Any],
    folder: Path,
    storage: Storage = "bf16",
    limit: int = LIMIT,
) -> None:
    """Put pieces and state.json in `folder`, in place of those that stand there."""
    small = pack({k: t.detach().float().cpu() for k, t in weights.items()}, storage)
    data = safetensors.torch.save({k: t.contiguous() for k, t in small.items()})
    other = "b" if any(name.startswith("weights.a.") for name in _named(folder)) else "a"
    names = []
    for number, start in enumerate(range(0, len(data), limit)):
        names.append(f"weights.{other}.{number:03}")
        write_atomically(folder / names[-1], data[start : start + limit])
    digest = hashlib.sha256(data).hexdigest()
    whole = {**told, "storage": storage, "pieces": names, "bytes": len(data), "sha256": digest}
    write_atomically(folder / STATE, (json.dumps(whole, indent=1) + "\n").encode())
    for path in folder.iterdir():  # the last ones, and what a killed process has left
        if path.name not in (*names, STATE):
            path.unlink()


def _named(folder: Path) -> list[str]:
    """The files of the model that stands in `folder`."""
    path = folder / STATE
    names: list[str] = json.loads(path.read_text("utf8"))["pieces"] if path.exists() else []
    return names


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
