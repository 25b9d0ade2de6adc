"""What a process of a run worked with: when, which versions, which machine."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NotRequired, TypedDict

import torch

from ulmfit.device import pick_device
from ulmfit.model.lstm_choice import arithmetic
from ulmfit.pipeline.locking import LOCK
from ulmfit.pipeline.options import Machine, cores

Sizes = Sequence[tuple[int, int]]
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
    fp32_layers: NotRequired[list[int]]
    """of the encoder (from 0): those that compute in fp32 where the rest is in bf16"""
    cpu: str
    """the instructions that torch uses, such as AVX2"""
    cores: int
    threads: int
    """of torch"""
    seconds: NotRequired[float]
    """that it worked, where another one had to go on"""


def now() -> str:
    """This second, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def session(machine: Machine, sizes: Sizes = ()) -> Session:
    """This process, about to work on `machine` with layers of these (input, output) sizes."""
    device = pick_device(machine.device)
    found = arithmetic(sizes, device, machine.precision)
    return Session(
        at=now(),
        versions={"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        system=platform.platform(),
        device=str(device),
        precision=found.precision,
        fp32_layers=list(found.fp32_layers),
        cpu=torch.backends.cpu.get_cpu_capability(),
        cores=cores(),
        threads=torch.get_num_threads(),
    )


def computing(machine: Machine, sizes: Sizes) -> str:
    """How this process computes, in a sentence."""
    return (
        f"computing in {arithmetic(sizes, pick_device(machine.device), machine.precision).told()}"
    )


def ended(last: Session, folder: Path) -> Session:
    """A session that was broken off, with the time from its beginning to the last that it wrote.

    The next session has touched the lock by now, and with it the folder.
    """
    files = (path for path in folder.rglob("*") if path.name != LOCK and path.is_file())
    began = datetime.fromisoformat(last["at"]).timestamp()
    seconds = max((path.stat().st_mtime for path in files), default=began) - began
    return {**last, "seconds": max(0.0, round(seconds, 1))}


def spent(file: Path) -> float:
    """Seconds that earlier sessions worked on the run that `file` (run.json) tells of."""
    sessions = json.loads(file.read_text("utf8")).get("sessions", [])
    return sum(float(each.get("seconds", 0.0)) for each in sessions)
