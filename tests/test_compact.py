"""Weights packed small: how far off, and the same on every load."""

import torch
from torch import Tensor

from ulmfit.compact import pack, unpack


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


def test_unpacking_twice_gives_the_same_bytes() -> None:
    for storage in ("bf16", "int8"):
        packed = pack(weights(), storage)  # type: ignore[arg-type]
        one, two = unpack(packed), unpack(packed)
        assert all(torch.equal(one[k], two[k]) for k in one)
        assert all(t.dtype in (torch.float32, torch.int64) for t in one.values())


def test_int8_is_a_quarter_of_the_size() -> None:
    packed = pack({"w": torch.randn(1000, 400)}, "int8")
    size = sum(t.numel() * t.element_size() for t in packed.values())
    assert size < 1000 * 400 * 1.02
