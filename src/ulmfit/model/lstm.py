"""One LSTM layer: the reference, and the fast paths that must agree with it.

The gates are PyTorch's, in its order (input, forget, cell, output) with one bias instead of two:

    i, f, o = sigmoid(...);  g = tanh(...);  c' = f * c + i * g;  h' = o * tanh(c')
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ulmfit import device as devices
from ulmfit.model.dropout import weight_dropout
from ulmfit.model.lstm_steps import lstm_steps

State = tuple[Tensor, Tensor]
"""(h, c), each (batch, hidden)."""

Path = Callable[[Tensor, State, Tensor, Tensor, Tensor], tuple[Tensor, State]]

BF16_TOLERANCE = 0.01
"""of a gradient's norm: right paths stand at 0.004 to 0.009, wrong ones from 0.2"""
ON_GPU: Literal["steps", "native"] = "steps"
"""the path to take in bf16 on a GPU where both are right; `benchmarks` and studies set it"""


def lstm_reference(
    x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """The definition, step by step; the truth that the tests hold every fast path against.

    Args:
        x: (time, batch, features).
        state: (h, c) before the first step, each (batch, hidden).
        w_ih: (4 hidden, features).
        w_hh: (4 hidden, hidden).
        bias: (4 hidden,).

    Returns:
        All h (time, batch, hidden), and the state after the last step.
    """
    h, c = state
    outputs = []
    for projected in x @ w_ih.t() + bias:
        i, f, g, o = (projected + h @ w_hh.t()).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def lstm_native(
    x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """The same by PyTorch's own kernel: oneDNN in bf16 on a CPU, cuDNN on a GPU."""
    h, c = state
    weights = [w_ih, w_hh, bias, torch.zeros_like(bias)]
    if devices.is_accelerator(x.device):
        weights = _end_to_end(weights)
    train = torch.is_grad_enabled()
    y, h_last, c_last = torch._VF.lstm(
        x, [h.unsqueeze(0), c.unsqueeze(0)], weights, True, 1, 0.0, train, False, False
    )
    return y, (h_last[0], c_last[0])


def _end_to_end(weights: list[Tensor]) -> list[Tensor]:
    """The same, one behind the other in memory: cuDNN takes them as they are, and else copies."""
    flat = torch.cat([w.flatten() for w in weights])
    parts = torch.split(flat, [w.numel() for w in weights])
    return [part.view_as(w) for part, w in zip(parts, weights, strict=True)]


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
        warnings.warn(f"the fast LSTM path {told} on {device}; cuDNN is used", stacklevel=2)
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


def _compute_dtype(x: Tensor, hidden: int) -> torch.dtype:
    """bf16 under an autocast that asks for it where the kernel is right, else fp32."""
    kind = x.device.type
    if not torch.is_autocast_enabled(kind):
        return torch.float32
    dtype = torch.get_autocast_dtype(kind)
    if kind == "cpu" and not bf16_is_right(x.shape[2], hidden):
        return torch.float32
    return dtype


def _in_steps(x: Tensor, hidden: int) -> bool:
    """Whether `lstm_steps` is the path for `x`: in bf16 on a GPU that compiles its kernels."""
    return (
        ON_GPU == "steps"
        and x.dtype == torch.bfloat16
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
        wrong = tuple(i for i, size in enumerate(sizes) if not bf16_is_right(*size))
        return Arithmetic("bf16", _bf16_units(), len(sizes), wrong)
    by_hand = ON_GPU == "steps" and devices.compiles_kernels(device)
    by_hand = by_hand and all(steps_are_right(device, *size) for size in sizes)
    return Arithmetic("bf16", "compiled steps" if by_hand else _units(device), len(sizes))


def _units(device: torch.device) -> str:
    return "cuDNN" if devices.is_accelerator(device) else torch.backends.cpu.get_cpu_capability()


def _bf16_units() -> str:
    if devices.cpu_is_fast_in_bf16():
        return "AMX"
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return "AVX512-bf16" if probe and probe() else "no units for it: slower than fp32"


class LSTMLayer(nn.Module):
    """One layer whose recurrent matrix is dropped at random in training.

    Args:
        features: size of the input.
        hidden: size of the state and the output.
        weight_p: probability that a recurrent weight is dropped for one pass.
    """

    def __init__(self, features: int, hidden: int, weight_p: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden
        self.weight_p = weight_p
        self._waiting, self._again = 0, False  # set by `without_graph`
        bound = hidden**-0.5
        self.w_ih = nn.Parameter(torch.empty(4 * hidden, features).uniform_(-bound, bound))
        self.w_hh = nn.Parameter(torch.empty(4 * hidden, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(4 * hidden).uniform_(-bound, bound))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """(time, batch, features), state -> (time, batch, hidden), state. States stay fp32."""
        if self._waiting and (x.requires_grad or any(p.requires_grad for p in self.parameters())):
            return self._in_two(x, state)
        return self._read(x, state)

    def _weights(self, x: Tensor) -> list[Tensor]:
        """w_ih, w_hh, bias of one pass over `x`: dropped, and in the type that is computed in."""
        w_hh = weight_dropout(self.w_hh, self.weight_p, self.training)
        dtype = _compute_dtype(x, self.hidden)
        return [t.to(dtype) for t in (self.w_ih, w_hh, self.bias)]

    def _read(
        self, x: Tensor, state: State, weights: list[Tensor] | None = None
    ) -> tuple[Tensor, State]:
        w_ih, w_hh, bias = self._weights(x) if weights is None else weights
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(w_ih.dtype)
            if _in_steps(x, self.hidden):
                y, (h, c) = lstm_steps(x, state, w_ih, w_hh, bias)
            else:
                low = state[0].to(x.dtype), state[1].to(x.dtype)
                y, (h, c) = lstm_native(x, low, w_ih, w_hh, bias)
        return y, (h.float(), c.float())

    def _in_two(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The rows that wait without a graph, the others with one, by the same dropped weights."""
        n, (h, c) = self._waiting, state
        waiting, others = (x[:, :n], (h[:n], c[:n])), (x[:, n:].contiguous(), (h[n:], c[n:]))
        if self._again:
            before = devices.random_state(x.device)
            with torch.no_grad():
                first, (h_first, c_first) = self._read(*waiting)
            devices.set_random_state(x.device, before)
            y, (h, c) = checkpoint(self._read, *others, use_reentrant=False)
        else:
            weights = self._weights(x)
            with torch.no_grad():
                first, (h_first, c_first) = self._read(*waiting, weights)
            y, (h, c) = self._read(*others, weights)
        return torch.cat([first, y], 1), (torch.cat([h_first, h]), torch.cat([c_first, c]))


@contextmanager
def without_graph(layers: Iterable[nn.Module], rows: int, again: bool) -> Iterator[None]:
    """While inside, `layers` read the first `rows` of their batch without a graph.

    Values and random draws stay the same. The state of these rows has no gradient then, and
    neither has what stands below them.

    Args:
        layers: those that are `LSTMLayer`.
        rows: how many.
        again: the other rows keep only their input and are read again in the backward pass;
            else each pass keeps its dropped weights, which many passes have no memory for.
    """
    found = [layer for layer in layers if isinstance(layer, LSTMLayer)]
    try:
        for layer in found:
            layer._waiting, layer._again = rows, again
        yield
    finally:
        for layer in found:
            layer._waiting = 0
