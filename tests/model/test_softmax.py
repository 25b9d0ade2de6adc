"""The chunked softmax loss against PyTorch's own cross-entropy: value and all gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.model import logits
from ulmfit.model.softmax import softmax_loss

SIZES = [(1, 1, 2), (7, 5, 11), (64, 31, 101), (33, 32, 257), (50, 33, 1000)]


def draw(n: int, features: int, vocabulary: int) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(n)
    shapes = [(n, features), (vocabulary, features), (vocabulary,)]
    leaves = [torch.randn(s, generator=generator).requires_grad_() for s in shapes]
    return leaves, torch.randint(vocabulary, (n,), generator=generator)


def torchs(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(x, weight, bias), targets)


@pytest.mark.parametrize("rows", [1, 3, 7, 10**6], ids=lambda r: f"{r} rows a chunk")
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_value_and_gradients_are_torchs(
    sizes: tuple[int, int, int], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logits, "CHUNK_BYTES", rows * 4 * sizes[2])
    leaves, targets = draw(*sizes)
    got, wanted = softmax_loss(*leaves, targets), torchs(*leaves, targets)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        torch.autograd.grad(got, leaves), torch.autograd.grad(wanted, leaves), atol=1e-5, rtol=1e-5
    )


def test_a_chunk_smaller_than_one_row_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logits, "CHUNK_BYTES", 1)
    leaves, targets = draw(5, 4, 9)
    torch.testing.assert_close(softmax_loss(*leaves, targets), torchs(*leaves, targets))


def test_the_gradient_scales_with_what_stands_above() -> None:
    leaves, targets = draw(7, 5, 11)
    (scaled,) = torch.autograd.grad(softmax_loss(*leaves, targets) * 3 + 1, leaves[0])
    (plain,) = torch.autograd.grad(torchs(*leaves, targets), leaves[0])
    torch.testing.assert_close(scaled, 3 * plain, atol=1e-5, rtol=1e-5)


def test_large_logits_do_not_overflow() -> None:
    (x, weight, bias), targets = draw(7, 5, 11)
    leaves = [(x.detach() * 30).requires_grad_(), weight, bias]
    got, wanted = softmax_loss(*leaves, targets), torchs(*leaves, targets)
    gradients = torch.autograd.grad(got, leaves)
    assert all(bool(g.isfinite().all()) for g in gradients)
    torch.testing.assert_close(gradients, torch.autograd.grad(wanted, leaves), atol=1e-4, rtol=1e-4)


def test_bf16_stands_within_a_percent() -> None:
    leaves, targets = draw(64, 31, 101)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = softmax_loss(*leaves, targets)
    wanted = torchs(*leaves, targets)
    assert float(got.detach()) == pytest.approx(float(wanted.detach()), rel=0.01)
    pairs = zip(torch.autograd.grad(got, leaves), torch.autograd.grad(wanted, leaves), strict=True)
    for g, w in pairs:
        assert float((g - w).norm() / w.norm()) < 0.015


@pytest.mark.gpu
@pytest.mark.parametrize("rows", [100, 10**6], ids=lambda r: f"{r} rows a chunk")
def test_on_a_gpu_bf16_stands_within_a_percent_too(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logits, "GPU_CHUNK_BYTES", rows * 2 * 5000)
    leaves, targets = draw(640, 400, 5000)
    leaves = [(t.detach().cuda() * 0.1).requires_grad_() for t in leaves]
    with torch.autocast("cuda", dtype=torch.bfloat16):
        got = softmax_loss(*leaves, targets.cuda())
    wanted = torchs(*leaves, targets.cuda())
    assert float(got.detach()) == pytest.approx(float(wanted.detach()), rel=0.01)
    pairs = zip(torch.autograd.grad(got, leaves), torch.autograd.grad(wanted, leaves), strict=True)
    for g, w in pairs:
        assert float((g - w).norm() / w.norm()) < 0.015
