"""The compiled products against integer arithmetic and float64, at every width of vector."""

import ctypes
from collections.abc import Callable, Sequence
from ctypes import c_long
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ulmfit.model.native.code import SOURCE
from ulmfit.model.native.layers import address

Compile = Callable[[Path, Sequence[str]], ctypes.CDLL]

#: Vectors and instructions that a CPU may have; the last two run on any CPU, and hold the layout
#: that VNNI reads (its one instruction alone is written out in C).
MACHINES = {
    "this machine's": ("-march=native",),
    "8 lanes, no VNNI": ("-O1", "-mavx2", "-mfma", "-mno-avx512f", "-mno-avxvnni"),
    "8 lanes, VNNI": ("-O1", "-mavx2", "-mfma", "-mavxvnni", "-mno-avx512f"),
    "16 lanes, dot products": ("-O1", "-march=x86-64", "-DLANES=16"),
    "8 lanes, dot products": ("-O1", "-march=x86-64", "-DLANES=8"),
}


@pytest.fixture(scope="module", params=MACHINES.values(), ids=MACHINES.keys())
def code(request: pytest.FixtureRequest, compile_with: Compile) -> ctypes.CDLL:
    return compile_with(SOURCE, request.param)


def drawn(shape: tuple[int, ...], seed: int, tails: float) -> NDArray[np.float32]:
    """Numbers with a few very large ones among them."""
    draw = np.random.default_rng(seed)
    return (draw.normal(size=shape) * np.exp(tails * draw.normal(size=shape))).astype(np.float32)


def unpacked(code: ctypes.CDLL, packed: NDArray[np.float64], hidden: int) -> NDArray[np.float64]:
    """(rows, units / lanes, 4, lanes), flat -> (rows, 4 hidden) in torch's order."""
    rows, lanes = len(packed), code.lanes()
    gates = packed.reshape(rows, -1, 4, lanes).transpose(0, 2, 1, 3).reshape(rows, 4, -1)
    return gates[:, :, :hidden].reshape(rows, -1)


@pytest.mark.parametrize("rows", [1, 5, 25])
@pytest.mark.parametrize(("hidden", "features"), [(5, 3), (16, 16), (37, 50)])
def test_fp32_is_the_product(code: ctypes.CDLL, rows: int, hidden: int, features: int) -> None:
    weight, x = drawn((4 * hidden, features), 0, 0.5), drawn((rows, features), 1, 0.5)
    inputs, units = features, -(-hidden // 16) * 16
    panels = np.full(4 * units * inputs, np.nan, np.float32)
    z = np.full((rows, 4 * units), np.nan, np.float32)
    sizes = c_long(hidden), c_long(features), c_long(inputs)
    code.pack_f32(address(weight), *sizes, address(panels))
    count = c_long(4 * units // code.lanes())
    code.product_f32(address(x), c_long(rows), c_long(inputs), address(panels), count, address(z))
    wanted = x.astype(np.float64) @ weight.T.astype(np.float64)
    np.testing.assert_allclose(unpacked(code, z, hidden), wanted, rtol=1e-4, atol=1e-4)
    assert np.isfinite(z).all(), "the units of the padding are zeros"


@pytest.mark.parametrize("rows", [1, 5, 25])
@pytest.mark.parametrize(("hidden", "features"), [(5, 3), (16, 16), (37, 50)])
def test_bf16_is_the_product_of_what_is_rounded(
    code: ctypes.CDLL, rows: int, hidden: int, features: int
) -> None:
    inputs, units = -(-features // 16) * 16, -(-hidden // 16) * 16
    weight, x = drawn((4 * hidden, features), 0, 0.5), np.zeros((rows, inputs), np.float32)
    x[:, :features] = drawn((rows, features), 1, 0.5)
    panels, halves = np.empty(4 * units * inputs, np.uint16), np.empty(x.shape, np.uint16)
    z = np.full((rows, 4 * units), np.nan, np.float32)
    sizes = c_long(hidden), c_long(features), c_long(inputs)
    code.pack_bf16(address(weight), *sizes, address(panels))
    code.narrow_rows(address(x), c_long(x.size), address(halves))
    count = c_long(4 * units // code.lanes())
    rest = c_long(rows), c_long(inputs), address(panels), count, address(z)
    code.product_bf16(address(halves), *rest)
    wanted = rounded(x[:, :features]) @ rounded(weight).T
    np.testing.assert_allclose(unpacked(code, z, hidden), wanted, rtol=1e-4, atol=1e-4)
    assert np.isfinite(z).all(), "the units of the padding are zeros"


def rounded(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """To bf16 and back, by torch."""
    return torch.from_numpy(x).bfloat16().double().numpy()


def test_bf16_is_the_nearest_and_of_two_the_even_one(code: ctypes.CDLL) -> None:
    x = drawn((16, 16), 6, 3.0)
    x[:, 0] = np.arange(16) / 256 + 1  # every other one between two numbers of bf16
    x[0, 1], x[0, 2] = np.inf, np.nan
    halves = np.empty(x.shape, np.uint16)
    code.narrow_rows(address(x), c_long(x.size), address(halves))
    got = (halves.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(got, rounded(x))


@pytest.mark.parametrize("rows", [1, 5, 13])
@pytest.mark.parametrize("tails", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("inputs_are", ["drawn", "largest", "smallest"])
def test_int8_is_exact_and_never_overflows(
    code: ctypes.CDLL, rows: int, tails: float, inputs_are: str
) -> None:
    hidden, features = 21, 50
    weight = drawn((4 * hidden, features), 2, tails)
    weight[0], weight[1] = 1, -1  # all products of a column of one sign: the sums' worst case
    zero_at, most = code.levels() + 1, 2 * code.levels() + 1
    draw = np.random.default_rng(3)
    q = draw.integers(1, most + 1, (rows, 64)).astype(np.uint8)
    if inputs_are != "drawn":
        q[:] = most if inputs_are == "largest" else 1
    panels, scale, zero = packed_bytes(code, weight, 64)
    z = np.empty((rows, len(scale)), np.float32)
    ones = np.ones(rows, np.float32)
    sizes = c_long(rows), c_long(64)
    weights = address(panels), address(scale), address(zero)
    count = c_long(len(scale) // code.lanes())
    code.product_i8(address(q), address(ones), *sizes, *weights, count, address(z))

    rounded = rounded_weight(code, panels, 64)  # (4 units, 64) of int64
    wanted = (q.astype(np.int64) - zero_at) @ rounded.T * scale.reshape(-1).astype(np.float64)
    np.testing.assert_allclose(z, wanted, rtol=1e-6)


def packed_bytes(
    code: ctypes.CDLL, weight: NDArray[np.float32], inputs: int
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.int32]]:
    hidden = len(weight) // 4
    units = -(-hidden // 16) * 16
    panels = np.empty(4 * units * inputs, np.int8)
    scale, zero = np.empty(4 * units, np.float32), np.empty(4 * units, np.int32)
    sizes = c_long(hidden), c_long(weight.shape[1]), c_long(inputs)
    code.pack_i8(address(weight), *sizes, address(panels), address(scale), address(zero))
    return panels, scale, zero


def rounded_weight(code: ctypes.CDLL, panels: NDArray[np.int8], inputs: int) -> NDArray[np.int64]:
    """Panels (blocks, inputs / 4, panels abreast, lanes, 4) -> rows in the order of the columns."""
    fours = panels.reshape(-1, inputs // 4, code.abreast_i8(), code.lanes(), 4)
    return fours.transpose(0, 2, 3, 1, 4).reshape(-1, inputs).astype(np.int64)


@pytest.mark.parametrize("tails", [0.0, 1.0])
def test_int8_weights_are_rounded_to_within_half_a_step(code: ctypes.CDLL, tails: float) -> None:
    hidden, features = 21, 50
    weight = drawn((4 * hidden, features), 4, tails)
    panels, scale, _ = packed_bytes(code, weight, 64)
    columns = (rounded_weight(code, panels, 64) * scale.reshape(-1, 1)).T[None]
    stored = unpacked(code, columns.reshape(64, -1), hidden).T[:, :features]
    step = unpacked(code, scale[None].astype(np.float64), hidden).T
    assert (np.abs(stored - weight) <= 0.5001 * step).all()
    finest = np.abs(weight).max(1, keepdims=True) / 127
    assert (step >= 0.999 * finest).all()
    assert np.median(step / finest) < (1.01 if code.levels() == 127 else 2.0)


def test_rows_are_rounded_around_zero(code: ctypes.CDLL) -> None:
    x = drawn((3, 32), 5, 0.5)
    x[2] = 0
    q, scale = np.zeros((3, 32), np.uint8), np.zeros(3, np.float32)
    code.quantise(address(x), c_long(3), c_long(32), address(q), address(scale))
    levels = code.levels()
    back = (q.astype(np.float64) - (levels + 1)) * scale[:, None]
    assert (np.abs(back - x) <= 0.5001 * scale[:, None] + 1e-12).all()
    np.testing.assert_allclose(scale[:2], np.abs(x[:2]).max(1) / levels, rtol=1e-6)
    assert (back[2] == 0).all()
