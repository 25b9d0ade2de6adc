"""Where the arithmetic runs: the one place that names a device or a precision."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from typing import Literal

import torch

from ulmfit.errors import InputError

Precision = Literal["auto", "fp32", "bf16", "int8"]
"""of the arithmetic; "int8" is for reading documents on a CPU (`reading`), not for training"""


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
def cpu_bf16_units() -> str | None:
    """What multiplies bf16 matrices in this CPU faster than fp32; None: nothing does."""
    for probe, name in (
        ("_is_amx_tile_supported", "AMX"),
        ("_is_avx512_bf16_supported", "AVX512-bf16"),
    ):
        found = getattr(torch.cpu, probe, None)
        if found and found():
            return name
    return None


def is_bf16(device: torch.device, precision: Precision) -> bool:
    """Whether to compute in bf16 on `device`; "auto" takes the faster of the two.

    Raises:
        InputError: `precision` is none of "auto", "fp32", "bf16".
    """
    if precision == "int8":
        raise InputError("precision int8 is for a classifier's predictions; choose fp32 or bf16")
    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(f"precision {precision!r}: choose one of auto, fp32, bf16")
    if precision == "auto":
        if device.type == "cpu":
            return cpu_bf16_units() is not None
        return bool(torch.cuda.is_bf16_supported())
    return precision == "bf16"


def exact(precision: Precision) -> Precision:
    """fp32 unless asked otherwise."""
    return "fp32" if precision == "auto" else precision


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


def is_accelerator(device: torch.device) -> bool:
    """Whether work on `device` is launched and waited for, rather than done by the caller."""
    return device.type != "cpu"


def compiles_kernels(device: torch.device) -> bool:
    """Whether kernels written in Triton can run on `device`; torch's CUDA builds bring it."""
    return device.type == "cuda" and find_spec("triton") is not None


def spare_memory(device: torch.device) -> int:
    """Bytes of the device's own memory that nobody uses; 0 for a CPU, which has none apart."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


@lru_cache(maxsize=16)
def total_memory(device: torch.device) -> int:
    """Bytes of the device's own memory; 0 for a CPU."""
    return torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else 0


_launched_as_one: ContextVar[bool] = ContextVar("_launched_as_one", default=False)


def launched_as_one() -> bool:
    """Whether a `Recorder` calls: many small kernels are then as good as a few large ones."""
    return _launched_as_one.get()


@contextlib.contextmanager
def _as_one() -> Iterator[None]:
    before = _launched_as_one.set(True)
    try:
        yield
    finally:
        _launched_as_one.reset(before)


class Recorder:
    """Records what a function launches on a GPU, to launch it again as one.

    Why it is fast: a training step is thousands of kernels of a few microseconds, and launching
    one takes about as long as running it; a CUDA graph launches them all with one call. A
    recorded function must find its tensors in the same places each time and never wait for the
    device. On any other device recording is not needed, and a recording calls the function. What
    it calls may ask `launched_as_one`.

    Args:
        device: where the function computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        if self._on_gpu:
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            self._pool = torch.cuda.graph_pool_handle()  # recordings never run side by side

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` where it would be recorded; a few such calls must come first."""
        if not self._on_gpu:
            return function()
        self._stream.wait_stream(torch.cuda.current_stream())
        with _as_one(), torch.cuda.stream(self._stream):
            function()
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """What replays `function`; it has not run yet.

        Raises:
            RuntimeError: it does something that cannot be recorded.
        """
        if not self._on_gpu:
            return function
        outside = torch.cuda.current_stream()
        graph = torch.cuda.CUDAGraph()
        try:
            with _as_one(), torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                function()
        finally:
            torch.cuda.set_stream(outside)  # a failed recording does not
        return graph.replay
