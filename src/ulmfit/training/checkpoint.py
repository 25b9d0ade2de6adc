"""Atomic checkpoints of tensors and plain values, in safetensors: no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ulmfit.errors import InputError
from ulmfit.files import write_atomically

PLAIN = "plain"  # the metadata key under which the values that are no tensors stand


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Save nested dicts (keys without a slash) whose leaves are tensors or JSON values.

    Raises:
        OSError: the disk is full or the path cannot be written; `path` is then untouched.
    """
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    _flatten("", state, tensors, plain)
    data = safetensors.torch.save(_apart(tensors), {PLAIN: json.dumps(plain)})
    write_atomically(path, data)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, no two in the same memory (safetensors refuses those; first states are)."""
    result: dict[str, Tensor] = {}
    taken: set[int] = set()
    for key, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        result[key] = tensor.clone() if place in taken else tensor
        taken.add(place)
    return result


def _flatten(
    prefix: str, state: Mapping[str, Any], tensors: dict[str, Tensor], plain: dict[str, Any]
) -> None:
    for key, value in state.items():
        name = f"{prefix}/{key}" if prefix else key
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, Mapping):
            plain[name + "/"] = None  # keeps empty dicts
            _flatten(name, value, tensors, plain)
        else:
            plain[name] = value


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` saved.

    Raises:
        InputError: there is no such file, or it is no checkpoint.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            plain = json.loads((file.metadata() or {})[PLAIN])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: not a readable checkpoint ({error})") from None
    state: dict[str, Any] = {}
    for name, value in [*sorted(plain.items()), *tensors.items()]:
        _place(state, name, value)
    return state


def _place(state: dict[str, Any], name: str, value: Any) -> None:
    *folders, leaf = name.split("/")
    for folder in folders:
        state = state.setdefault(folder, {})
    if leaf:
        state[leaf] = value
