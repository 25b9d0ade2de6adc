"""Weights packed small: how far off, and the same on every load."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ulmfit.compact import BITS, GROUP, Storage, pack, unpack


def weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 30, generator=generator) * torch.logspace(-4, 3, 40)[:, None]
    matrix[7] = 0
    vector = torch.randn(40, generator=generator)
    return {"w": matrix, "b": vector, "norm.num_batches_tracked": torch.tensor(12)}


def test_fp32_changes_no_bit() -> None:
    tensors = weights()
    back = unpack(pack(tensors, "fp32"))
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[k], tensors[k]) for k in tensors)


def test_bf16_rounds_each_number_once() -> None:
    tensors = weights()
    packed = pack(tensors, "bf16")
    assert packed["w"].dtype == packed["b"].dtype == torch.bfloat16
    back = unpack(packed)
    assert torch.equal(back["w"], tensors["w"].to(torch.bfloat16).float())
    assert torch.equal(back["norm.num_batches_tracked"], torch.tensor(12))
    assert all(torch.equal(v, unpack(pack(back, "bf16"))[k]) for k, v in back.items())


def test_int8_is_within_half_a_step_of_each_rows_largest() -> None:
    tensors = weights()
    packed = pack(tensors, "int8")
    assert packed["w"].dtype == torch.int8
    assert torch.equal(packed["b"], tensors["b"]), "vectors stay exact"
    back = unpack(packed)
    assert back.keys() == tensors.keys()
    steps = tensors["w"].abs().amax(1, keepdim=True) / 127
    assert bool(((back["w"] - tensors["w"]).abs() <= 0.5001 * steps).all())
    assert not back["w"][7].any(), "a row of zeros stays one"
    assert torch.equal(back["norm.num_batches_tracked"], torch.tensor(12))


@pytest.mark.parametrize("storage", ["bf16", "int8", *BITS])
def test_unpacking_twice_gives_the_same_bytes(storage: Storage) -> None:
    packed = pack(weights(), storage)
    one, two = unpack(packed), unpack(packed)
    assert one.keys() == weights().keys()
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert all(t.dtype in (torch.float32, torch.int64) for t in one.values())


@pytest.mark.parametrize("storage", BITS)
@pytest.mark.parametrize("columns", [1, 7, 8, GROUP, GROUP + 1, 3 * GROUP - 8])
def test_few_bits_are_within_half_a_step_of_each_groups_largest(
    storage: Storage, columns: int
) -> None:
    matrix = torch.randn(40, columns, generator=torch.Generator().manual_seed(columns))
    matrix *= torch.logspace(-8, 8, 40)[:, None]
    matrix[7] = 0
    back = unpack(pack({"w": matrix, "b": matrix[0]}, storage))
    assert torch.equal(back["b"], matrix[0]), "vectors stay exact"
    assert not back["w"][7].any(), "a row of zeros stays one"
    most = 2 ** (BITS[storage] - 1) - 1
    for start in range(0, columns, GROUP):
        mine = matrix[:, start : start + GROUP]
        step = mine.abs().amax(1, keepdim=True) / most
        off = (back["w"][:, start : start + GROUP] - mine).abs()
        # a scale in bf16 is up to 0.4% off, and so is the largest number
        assert bool((off <= (0.502 + 0.004 * most) * step).all())


@pytest.mark.parametrize("storage", BITS)
def test_few_bits_are_the_bits_of_the_numbers_in_their_order(storage: Storage) -> None:
    bits, matrix = BITS[storage], torch.randn(3, 21)
    packed = pack({"w": matrix}, storage)
    stream = np.unpackbits(packed["w"].numpy(), axis=1, bitorder="little")
    numbers = stream.reshape(3, 24, bits) @ (1 << np.arange(bits))
    scale = packed["w.scale"].float().numpy()  # one group
    wanted = (numbers[:, :21].astype(np.float32) - 2 ** (bits - 1)) * scale
    assert np.array_equal(unpack(packed)["w"].numpy(), wanted)


@pytest.mark.parametrize("storage", BITS)
def test_few_bits_are_as_small_as_they_say(storage: Storage) -> None:
    packed = pack({"w": torch.randn(1000, 400)}, storage)
    size = sum(t.numel() * t.element_size() for t in packed.values())
    assert size < 1000 * 400 * (BITS[storage] + 0.3) / 8


FORGED = {
    "no columns": {"w.columns": torch.tensor([])},
    "fewer than none": {"w.columns": torch.tensor([-21])},
    "other columns": {"w.columns": torch.tensor([22_000])},
    "7 bits": {"w": torch.zeros(3, 21, dtype=torch.uint8)},
    "a byte more": {"w": torch.zeros(3, 19, dtype=torch.uint8)},
    "a vector": {"w": torch.zeros(18, dtype=torch.uint8)},
    "a row less": {"w.scale": torch.ones(2, 1)},
    "a group more": {"w.scale": torch.ones(3, 2)},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_parts_that_do_not_belong_together_are_refused(forged: dict[str, Tensor]) -> None:
    packed = pack({"w": torch.randn(3, 21)}, "int6")
    with pytest.raises(ValueError, match=r"^w"):
        unpack(packed | forged)


@pytest.mark.parametrize("missing", ["w.scale", "w.columns"])
def test_a_part_that_is_missing_is_named(missing: str) -> None:
    packed = pack({"w": torch.randn(3, 21)}, "int6")
    del packed[missing]
    with pytest.raises(KeyError, match=missing):
        unpack(packed)


def test_int8_is_a_quarter_of_the_size() -> None:
    packed = pack({"w": torch.randn(1000, 400)}, "int8")
    size = sum(t.numel() * t.element_size() for t in packed.values())
    assert size < 1000 * 400 * 1.02
