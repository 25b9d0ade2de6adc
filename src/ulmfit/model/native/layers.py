"""LSTM layers over rows of documents, by the compiled code: products in fp32, bf16 or int8."""

from __future__ import annotations

import ctypes
import math
from ctypes import c_long, c_void_p
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


class FloatMatrix:
    """An LSTM's matrix in panels of fp32.

    Args:
        code: the compiled code.
        weight: (4 hidden, features).
        inputs: features, and zeros behind them.
    """

    def __init__(self, code: ctypes.CDLL, weight: Floats, inputs: int) -> None:
        hidden = len(weight) // 4
        self._code = code
        self._inputs = inputs
        self.width = 4 * padded(hidden)
        self._panels = aligned((self.width * inputs,), np.float32)
        sizes = c_long(hidden), c_long(weight.shape[1]), c_long(inputs)
        code.pack_f32(address(weight), *sizes, address(self._panels))

    def multiply(self, x: Floats, z: Floats) -> None:
        """x (rows, inputs) -> z (rows, width), which may lie in a larger array."""
        panels = c_long(self.width // self._code.lanes())
        sizes = c_long(len(x)), c_long(self._inputs)
        self._code.product_f32(address(x), *sizes, address(self._panels), panels, address(z))

    def project(self, below: State, steps: int, rows: int, z: Floats) -> None:
        """The outputs of the layer below -> the input's part of the pre-activations."""
        self.multiply(below.h[rows : (steps + 1) * rows], z)

    def run(
        self, z: Pointers, bias: Floats, state: State, steps: int, rows: int, tile: Floats
    ) -> None:
        """Steps of the recurrence from pre-activations that `z` (steps rows,) points at."""
        self._code.lstm_f32(
            c_long(steps),
            c_long(rows),
            c_long(self.width // 4),
            address(z),
            address(bias),
            address(self._panels),
            address(tile),
            address(state.c),
            address(state.h),
        )


class HalfMatrix:
    """The same in bf16; inputs are rounded to it."""

    def __init__(self, code: ctypes.CDLL, weight: Floats, inputs: int) -> None:
        hidden = len(weight) // 4
        self._code = code
        self._inputs = inputs
        self.width = 4 * padded(hidden)
        self._panels = aligned((self.width * inputs,), np.uint16)
        sizes = c_long(hidden), c_long(weight.shape[1]), c_long(inputs)
        code.pack_bf16(address(weight), *sizes, address(self._panels))

    def project(self, below: State, steps: int, rows: int, z: Floats) -> None:
        """The outputs of the layer below -> the input's part of the pre-activations."""
        self._code.product_bf16(
            address(below.rounded, rows),
            c_long(steps * rows),
            c_long(self._inputs),
            address(self._panels),
            c_long(self.width // self._code.lanes()),
            address(z),
        )

    def run(
        self, z: Pointers, bias: Floats, state: State, steps: int, rows: int, tile: Floats
    ) -> None:
        """Steps of the recurrence from pre-activations that `z` (steps rows,) points at."""
        self._code.lstm_bf16(
            c_long(steps),
            c_long(rows),
            c_long(self.width // 4),
            address(z),
            address(bias),
            address(self._panels),
            address(tile),
            address(state.c),
            address(state.h),
            address(state.rounded),
        )


class ByteMatrix:
    """The same in int8, with a scale a column; inputs are rounded row by row."""

    def __init__(self, code: ctypes.CDLL, weight: Floats, inputs: int) -> None:
        hidden = len(weight) // 4
        self._code = code
        self._inputs = inputs
        self.width = 4 * padded(hidden)
        self._panels = aligned((self.width * inputs,), np.int8)
        self._scale = aligned((self.width,), np.float32)
        self._zero = aligned((self.width,), np.int32)
        sizes = c_long(hidden), c_long(weight.shape[1]), c_long(inputs)
        code.pack_i8(address(weight), *sizes, *self._addresses())

    def _addresses(self) -> tuple[c_void_p, c_void_p, c_void_p]:
        return address(self._panels), address(self._scale), address(self._zero)

    def project(self, below: State, steps: int, rows: int, z: Floats) -> None:
        """The outputs of the layer below -> the input's part of the pre-activations."""
        self._code.product_i8(
            address(below.rounded, rows),
            address(below.scale, rows),
            c_long(steps * rows),
            c_long(self._inputs),
            *self._addresses(),
            c_long(self.width // self._code.lanes()),
            address(z),
        )

    def run(
        self, z: Pointers, bias: Floats, state: State, steps: int, rows: int, tile: Floats
    ) -> None:
        """Steps of the recurrence from pre-activations that `z` (steps rows,) points at."""
        self._code.lstm_i8(
            c_long(steps),
            c_long(rows),
            c_long(self.width // 4),
            address(z),
            address(bias),
            *self._addresses(),
            address(tile),
            address(state.c),
            address(state.h),
            address(state.rounded),
            address(state.scale),
        )


MATRICES: dict[Kind, type[FloatMatrix | HalfMatrix | ByteMatrix]] = {
    "fp32": FloatMatrix,
    "bf16": HalfMatrix,
    "int8": ByteMatrix,
}


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
        matrix = MATRICES[kind]
        hidden = w_hh.shape[1]
        self.units = padded(hidden)
        self._w_hh = matrix(code, w_hh, self.units)
        self._w_ih = None if w_ih is None else matrix(code, w_ih, padded(w_ih.shape[1]))
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
