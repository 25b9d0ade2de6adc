"""Which way an LSTM layer is computed: the fastest that was found right on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from ulmfit import device as devices
from ulmfit.compiled import Unavailable
from ulmfit.model.lstm_paths import Path, lstm_native, lstm_reference
from ulmfit.model.lstm_steps import lstm_steps
from ulmfit.model.native.steps import compiled_steps

BF16_TOLERANCE = 0.02
"""of a gradient's norm: right paths stand at 0.004 to 0.009 at usual sizes and at up to 0.02 at
tiny ones, wrong ones from 0.2"""
ON_GPU: Literal["auto", "steps", "native"] = "auto"
"""the path to take in bf16 on a GPU where both are right: "auto" takes the steps, thousands of
small kernels, where they are launched as one, and else cuDNN's few; studies set it"""


@lru_cache(maxsize=64)
def bf16_is_right(features: int, hidden: int) -> bool:
    """Whether this CPU's bf16 kernel gives right gradients at these sizes.

    oneDNN's is silently wrong by 20% and more for hidden sizes from 1024 (measured on torch
    2.13), and raises where the instructions are missing; so probe it once against fp32.
    """
    # Gradients are wanted whoever asks first, a step of training or a prediction.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        values = _drawn(features, hidden, torch.device("cpu"))
        wanted = _gradients(values, hidden, torch.float32, lstm_reference)
        try:
            return _agree(wanted, _gradients(values, hidden, torch.bfloat16, lstm_native))
        except RuntimeError:
            return False


def _gradients(values: list[Tensor], hidden: int, dtype: torch.dtype, path: Path) -> list[Tensor]:
    leaves = [v.to(dtype).requires_grad_() for v in values]
    zero = torch.zeros(values[0].shape[1], hidden, dtype=dtype, device=values[0].device)
    y, _ = path(leaves[0], (zero, zero), *leaves[1:])
    weight = torch.linspace(-1, 1, hidden, dtype=dtype, device=values[0].device)
    return [g.float() for g in torch.autograd.grad((y * weight).sum(), leaves)]


@lru_cache(maxsize=64)
def steps_are_right(device: torch.device, features: int, hidden: int) -> bool:
    """Whether `lstm_steps` runs in bf16 on `device` and gives right gradients at these sizes.

    Its kernels are compiled on the user's machine, by the versions that are there: so probe
    them once against the definition in fp32, and say so where they fail.
    """
    kinds = ((torch.float32, lstm_reference), (torch.bfloat16, lstm_steps))
    with torch.inference_mode(False), torch.enable_grad():
        values = _drawn(features, hidden, device)
        try:
            wanted, got = (_gradients(values, hidden, dtype, path) for dtype, path in kinds)
            right, told = _agree(wanted, got), "gives wrong gradients"
        except Exception as error:  # whatever a compiler or a driver raises
            right, told = False, f"failed ({error})"
    if not right:
        instead = f"the fast LSTM path {told} on {device}; {_units(device)} is used"
        warnings.warn(instead, stacklevel=2)
    return right


def _drawn(features: int, hidden: int, device: torch.device) -> list[Tensor]:
    """x, w_ih, w_hh, bias of a small layer whose gates move, the same at every call."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(6, 16, features), (4 * hidden, features), (4 * hidden, hidden), (4 * hidden,)]
    scales = [1.0, features**-0.5, hidden**-0.5, hidden**-0.5]
    drawn = [torch.randn(s, generator=generator) for s in shapes]
    return [(t * scale).to(device) for t, scale in zip(drawn, scales, strict=True)]


def _agree(wanted: list[Tensor], got: list[Tensor]) -> bool:
    return all(
        bool((a - b).norm() <= BF16_TOLERANCE * a.norm()) for a, b in zip(wanted, got, strict=True)
    )


def cpu_path(features: int, hidden: int) -> Literal["steps", "native"] | None:
    """The fastest way in bf16 on this CPU that is right at these sizes; None: there is none.

    oneDNN has AMX, which our steps do not use; without it they are twice as fast
    (experiments/LOG.md).
    """
    if devices.cpu_bf16_units() == "AMX" and bf16_is_right(features, hidden):
        return "native"
    if _has_fast_steps() and steps_are_right(torch.device("cpu"), features, hidden):
        return "steps"
    return "native" if bf16_is_right(features, hidden) else None


@lru_cache(maxsize=1)
def _has_fast_steps() -> bool:
    """Whether compiled steps run here, by instructions that are made for them."""
    if devices.cpu_bf16_units() is None:
        return False
    try:
        return compiled_steps().is_fast
    except Unavailable as error:
        warnings.warn(f"training is slower here, by PyTorch's LSTM: {error}", stacklevel=2)
        return False


def compute_dtype(x: Tensor, hidden: int) -> torch.dtype:
    """bf16 under an autocast that asks for it where a path is right in it, else fp32."""
    kind = x.device.type
    if not torch.is_autocast_enabled(kind):
        return torch.float32
    dtype = torch.get_autocast_dtype(kind)
    if kind == "cpu" and cpu_path(x.shape[2], hidden) is None:
        return torch.float32
    return dtype


def runs_in_steps(x: Tensor, hidden: int) -> bool:
    """Whether `lstm_steps` is the path for `x`: in bf16, where it is the fastest that is right."""
    if x.dtype != torch.bfloat16:
        return False
    if x.device.type == "cpu":
        return cpu_path(x.shape[2], hidden) == "steps"
    wanted = ON_GPU == "steps" or (ON_GPU == "auto" and devices.launched_as_one())
    return (
        wanted
        and devices.compiles_kernels(x.device)
        and steps_are_right(x.device, x.shape[2], hidden)
    )


@dataclass(frozen=True)
class Arithmetic:
    """What the layers of a model compute in on a device, once bf16 has been checked."""

    precision: Literal["fp32", "bf16"]
    """what was asked for, or what "auto" came to"""
    units: str
    """that compute it: the best that this machine has"""
    layers: int
    fp32_layers: tuple[int, ...] = ()
    """those (from 0) that compute in fp32 all the same, as bf16 gives them wrong gradients"""

    def told(self) -> str:
        """In one line, for a person, who counts from 1."""
        line = f"{self.precision} ({self.units})"
        if not self.fp32_layers:
            return line
        plural = "s" if len(self.fp32_layers) > 1 else ""
        numbers = " and ".join(str(i + 1) for i in self.fp32_layers)
        why = "bf16 gives no right gradient there on this machine"
        return f"{line}, layer{plural} {numbers} of {self.layers} in fp32: {why}"


def arithmetic(
    sizes: Sequence[tuple[int, int]], device: torch.device, precision: devices.Precision
) -> Arithmetic:
    """The path that layers of these (input, output) sizes take; runs the checks it rests on.

    Raises:
        InputError: as `device.is_bf16`.
    """
    if not devices.is_bf16(device, precision):
        return Arithmetic("fp32", _units(device), len(sizes))
    if device.type == "cpu":
        paths = [cpu_path(*size) for size in sizes]
        units = devices.cpu_bf16_units() or "no units for it: slower than fp32"
        steps = ", compiled steps" if "steps" in paths else ""
        wrong = tuple(i for i, path in enumerate(paths) if path is None)
        return Arithmetic("bf16", f"{units}{steps}", len(sizes), wrong)
    units = _units(device)
    by_hand = ON_GPU != "native" and devices.compiles_kernels(device)
    if by_hand and all(steps_are_right(device, *size) for size in sizes):
        units = "compiled steps" if ON_GPU == "steps" else f"{units}; compiled steps where recorded"
    return Arithmetic("bf16", units, len(sizes))


def _units(device: torch.device) -> str:
    return "cuDNN" if devices.is_accelerator(device) else torch.backends.cpu.get_cpu_capability()
