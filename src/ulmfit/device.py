"""Where the arithmetic runs: the one place that names a device or a precision."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Literal

import torch

from ulmfit.errors import InputError

Precision = Literal["auto", "fp32", "bf16"]


def pick_device(name: str = "auto") -> torch.device:
    """The GPU when there is one, else the CPU; `name` ("cpu", "cuda", "cuda:1") overrides.

    Raises:
        InputError: `name` is no device, or this machine does not have it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r}: {str(error).splitlines()[0]}") from None
    if device.type == "cpu":
        keep_freed_memory()
    return device


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Let the allocator keep what is freed instead of giving it back to the system.

    Every step frees and takes the same hundreds of megabytes; asking the kernel for zeroed
    pages each time cost 12% of a training step on 2 cores. Only glibc is asked.
    """
    trim_threshold, mmap_max = -1, -4  # names of glibc's malloc.h
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(mmap_max, 0)


@lru_cache(maxsize=1)
def cpu_is_fast_in_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware (AMX); else bf16 loses to fp32."""
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe and probe())


def is_bf16(device: torch.device, precision: Precision) -> bool:
    """Whether to compute in bf16 on `device`; "auto" takes the faster of the two.

    Raises:
        InputError: `precision` is none of "auto", "fp32", "bf16".
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(f"precision {precision!r}: choose one of auto, fp32, bf16")
    if precision == "auto":
        return cpu_is_fast_in_bf16() if device.type == "cpu" else torch.cuda.is_bf16_supported()
    return precision == "bf16"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """A context in which the model computes in `precision`; parameters stay fp32."""
    enabled = is_bf16(device, precision)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Every random state that dropout draws from, as byte tensors."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(device: torch.device, state: dict[str, torch.Tensor]) -> None:
    """Put back what `random_state` gave."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)


@contextlib.contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Dropout off and no graph inside; the mode the model was in is put back after."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)
