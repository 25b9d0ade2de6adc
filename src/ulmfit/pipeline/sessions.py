"""What a process of a run worked with: when, which versions, which machine."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypedDict

import torch

from ulmfit.device import is_bf16, pick_device
from ulmfit.pipeline.options import Machine, cores

PACKAGES = ("ulmfit", "torch", "numpy", "tokenizers", "safetensors", "scikit-learn")


class Session(TypedDict):
    """One process of a run; a run that was never interrupted has one."""

    at: str
    """when it began, ISO 8601 in UTC"""
    versions: dict[str, str]
    """of Python and of the packages that the bytes of a model depend on"""
    system: str
    device: str
    precision: str
    """ "fp32" or "bf16": what "auto" came to"""
    cpu: str
    """the instructions that torch uses, such as AVX2"""
    cores: int
    threads: int
    """of torch"""


def now() -> str:
    """This second, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def session(machine: Machine) -> Session:
    """This process, about to work on `machine`."""
    device = pick_device(machine.device)
    return Session(
        at=now(),
        versions={"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        system=platform.platform(),
        device=str(device),
        precision="bf16" if is_bf16(device, machine.precision) else "fp32",
        cpu=torch.backends.cpu.get_cpu_capability(),
        cores=cores(),
        threads=torch.get_num_threads(),
    )
