"""LSTM layers over rows of documents, by the compiled code: products in fp32, bf16 or int8."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from ctypes import c_long, c_void_p
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = Literal["fp32", "bf16", "int8"]
"""of the products between the layers and in them; gates and cells are fp32"""
Number = TypeVar("Number", bound=np.generic)
Floats = NDArray[np.float32]
Pointers = NDArray[np.uintp]

# Steps x documents of a window; a multiple of every number of rows a product takes. All weights
# are read once a window, most from beyond the caches: 192 rows read 5% more documents/s than 96.
ROWS = 192
GROUP = 16  # sizes are rounded up to a multiple of it (products_i8.h)
LINE = 64  # bytes of a CPU's cache


def padded(size: int) -> int:
    """The units that a layer of `size` has in compiled code; the last ones stay at 0."""
    return -(-size // GROUP) * GROUP


def address(array: NDArray[Any], row: int = 0) -> c_void_p:
    """Where row `row` of a contiguous array starts."""
    return c_void_p(array.ctypes.data + row * array.strides[0])


def aligned(shape: tuple[int, ...], dtype: type[Number]) -> NDArray[Number]:
    """Room that begins with a line of the cache: else most vectors would lie across two."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


class State:
    """What a layer knows of the documents in its rows, and its outputs of one window.

    Outputs stand as (1 + steps) blocks of rows; the first is of the step before the window.
    """

    def __init__(self, units: int, kind: Kind) -> None:
        self.c: Floats = aligned((ROWS, units), np.float32)
        self.h: Floats = aligned((2 * ROWS, units), np.float32)
        self.rounded = _rounded(units, kind)
        """h as the products of other kinds read it: in bf16, or in bytes"""
        self.scale: Floats = np.zeros(2 * ROWS, np.float32)
        """of each row of bytes; 0 says that h is zeros"""

    def clear(self, row: int) -> None:
        """A document begins here."""
        self.c[row] = self.h[row] = self.rounded[row] = self.scale[row] = 0

    def move(self, row: int, to: int) -> None:
        """A document goes on in another row."""
        for array in (self.c, self.h, self.rounded, self.scale):
            array[to] = array[row]

    def carry(self, steps: int, rows: int) -> None:
        """The last outputs of a window are those before the next."""
        for array in (self.h, self.rounded, self.scale):
            array[:rows] = array[steps * rows : (steps + 1) * rows]


def _rounded(units: int, kind: Kind) -> NDArray[Any]:
    if kind == "int8":
        return aligned((2 * ROWS, units), np.uint8)
    return aligned((2 * ROWS, units if kind == "bf16" else 0), np.uint16)


@dataclass(frozen=True)
class Format:
    """How matrices of a kind are stored and what they read."""

    ending: str
    """of the compiled functions for this kind"""
    number: type[np.generic]
    rounded: Callable[[State], list[NDArray[Any]]]
    """the outputs as products of this kind read them, where that is not as they are"""
    of_a_column: tuple[type[np.generic], ...] = ()
    """what a column has beside its weights"""


FORMATS: dict[Kind, Format] = {
    "fp32": Format("f32", np.float32, lambda state: []),
    "bf16": Format("bf16", np.uint16, lambda state: [state.rounded]),
    # With a scale and a zero a column; inputs are rounded row by row.
    "int8": Format(
        "i8", np.int8, lambda state: [state.rounded, state.scale], (np.float32, np.int32)
    ),
}


class Matrix:
    """An LSTM's matrix in panels.

    Args:
        code: the compiled code.
        weight: (4 hidden, features).
        inputs: features, and zeros behind them.
        kind: of the products.
    """

    def __init__(self, code: ctypes.CDLL, weight: Floats, inputs: int, kind: Kind) -> None:
        hidden = len(weight) // 4
        self._code = code
        self._inputs = inputs
        self._format = FORMATS[kind]
        self.width = 4 * padded(hidden)
        self._packed: list[NDArray[Any]] = [aligned((self.width * inputs,), self._format.number)]
        self._packed += [aligned((self.width,), number) for number in self._format.of_a_column]
        sizes = c_long(hidden), c_long(weight.shape[1]), c_long(inputs)
        self._call("pack", weight, *sizes, *self._packed)

    def multiply(self, x: list[NDArray[Any]], z: Floats) -> None:
        """x (rows, inputs), as the kind reads it, -> z (rows, width), maybe of a larger array."""
        panels = c_long(self.width // self._code.lanes())
        sizes = c_long(len(x[0])), c_long(self._inputs)
        self._call("product", *x, *sizes, *self._packed, panels, z)

    def project(self, below: State, steps: int, rows: int, z: Floats) -> None:
        """The outputs of the layer below -> the input's part of the pre-activations."""
        read = self._format.rounded(below) or [below.h]
        self.multiply([array[rows : (steps + 1) * rows] for array in read], z)

    def run(
        self, z: Pointers, bias: Floats, state: State, steps: int, rows: int, tile: Floats
    ) -> None:
        """Steps of the recurrence from pre-activations that `z` (steps rows,) points at."""
        sizes = c_long(steps), c_long(rows), c_long(self.width // 4)
        outputs = state.c, state.h, *self._format.rounded(state)
        self._call("lstm", *sizes, z, bias, *self._packed, tile, *outputs)

    def _call(self, name: str, *given: c_long | NDArray[Any]) -> None:
        values = [g if isinstance(g, c_long) else address(g) for g in given]
        getattr(self._code, f"{name}_{self._format.ending}")(*values)


class Layer:
    """One layer: its matrices and its bias (4 hidden,).

    Args:
        w_ih: (4 hidden, features); None for the first layer, whose input is `words.Words`.
        w_hh: (4 hidden, hidden).
        kind: of the products; gates and cells stay fp32.
    """

    def __init__(
        self, code: ctypes.CDLL, w_ih: Floats | None, w_hh: Floats, bias: Floats, kind: Kind
    ) -> None:
        hidden = w_hh.shape[1]
        self.units = padded(hidden)
        self._w_hh = Matrix(code, w_hh, self.units, kind)
        self._w_ih = None if w_ih is None else Matrix(code, w_ih, padded(w_ih.shape[1]), kind)
        self._bias = aligned((4 * self.units,), np.float32)
        code.pack_f32(address(bias), c_long(hidden), c_long(1), c_long(1), address(self._bias))

    def project(self, below: State, steps: int, rows: int, z: Floats) -> Pointers:
        """The outputs of the layer below -> where each position's 4 units stand in `z`."""
        assert self._w_ih is not None
        self._w_ih.project(below, steps, rows, z)
        width = z.itemsize * 4 * self.units
        return z.ctypes.data + np.arange(steps * rows, dtype=np.uintp) * np.uintp(width)

    def run(self, z: Pointers, state: State, steps: int, rows: int, tile: Floats) -> None:
        """A window of the recurrence."""
        self._w_hh.run(z, self._bias, state, steps, rows, tile)
