"""The loss by compiled exponentials against PyTorch's cross-entropy of the same rounded numbers."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit import compiled
from ulmfit.model import compiled_softmax, logits, softmax
from ulmfit.model.compiled_softmax import by_exponentials
from ulmfit.model.native.matrices import DEEP, Matrices, compiled_matrices
from ulmfit.model.softmax import softmax_loss

SIZES = [(1, 1, 2), (7, 5, 11), (64, 31, 101), (33, 32, 257), (50, 33, 1000)]


@pytest.fixture
def matrices() -> Matrices:
    try:
        return compiled_matrices()
    except compiled.Unavailable as error:
        pytest.skip(str(error))


def draw(n: int, features: int, vocabulary: int, scale: float = 1.0) -> tuple[list[Tensor], Tensor]:
    """x, weight (numbers of bf16) and bias; and targets."""
    generator = torch.Generator().manual_seed(n)
    x = torch.randn(n, features, generator=generator) * scale
    weight = torch.randn(vocabulary, features, generator=generator)
    bias = torch.randn(vocabulary, generator=generator)
    targets = torch.randint(vocabulary, (n,), generator=generator)
    return [x.bfloat16().float(), weight.bfloat16().float(), bias], targets


def torchs(given: list[Tensor], targets: Tensor) -> list[Tensor]:
    """Loss and gradients, in float64."""
    x, weight, bias = (t.double().requires_grad_() for t in given)
    loss = F.cross_entropy(F.linear(x, weight, bias), targets)
    return [loss.detach(), *torch.autograd.grad(loss, (x, weight, bias))]


def ours(matrices: Matrices, given: list[Tensor], targets: Tensor) -> list[Tensor]:
    x, weight, bias = given
    return [*by_exponentials(matrices, x.bfloat16(), weight.bfloat16(), bias, targets)]


def assert_near(got: list[Tensor], wanted: list[Tensor]) -> None:
    """Within half a percent in norm; the loss, whose sums are not rounded, to six digits."""
    torch.testing.assert_close(got[0].double(), wanted[0], rtol=1e-6, atol=1e-6)
    for g, w in zip(got[1:], wanted[1:], strict=True):
        assert g.shape == w.shape
        assert float((g - w).norm()) <= 0.005 * float(w.norm())


@pytest.mark.parametrize("rows", [1, 3, 7, 10**6], ids=lambda r: f"{r} rows a chunk")
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_loss_and_gradients_are_torchs(
    matrices: Matrices,
    sizes: tuple[int, int, int],
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logits, "CHUNK_BYTES", rows * 2 * sizes[2])
    given, targets = draw(*sizes)
    assert_near(ours(matrices, given, targets), torchs(given, targets))


@pytest.mark.parametrize("scale", [0.01, 30.0, 3e3, 3e4])
def test_small_and_large_logits(matrices: Matrices, scale: float) -> None:
    given, targets = draw(40, 33, 300, scale)
    assert_near(ours(matrices, given, targets), torchs(given, targets))


def test_a_logit_far_above_the_first_words(matrices: Matrices) -> None:
    """There the first exponentials are cut, which must be seen and made good."""
    (x, weight, bias), targets = draw(40, 33, 300)
    for above in (30.0, 38.5, 41.0, 100.0):
        bias[200] = above
        given = [x, weight, bias]
        assert_near(ours(matrices, given, targets), torchs(given, targets))
    assert compiled_softmax.FIRST < 200


@pytest.mark.parametrize("logit", [16384 + 63, 65536 + 255, 16384 + 65])
@pytest.mark.parametrize("word", [3, 200])
def test_a_sure_right_answer_costs_nothing(matrices: Matrices, logit: int, word: int) -> None:
    """The highest logit must not be rounded: it would be off by more than exponents may differ."""
    high = torch.tensor(float(logit)).bfloat16().float()
    weight = torch.zeros(300, 2)
    weight[word] = torch.stack([high, logit - high])
    given, targets = [torch.ones(1, 2), weight, torch.zeros(300)], torch.tensor([word])
    assert max(float(t.abs().max()) for t in ours(matrices, given, targets)) < 1e-15


def test_what_is_not_a_number_reaches_the_loss_and_its_row(matrices: Matrices) -> None:
    given, targets = draw(40, 33, 300)
    given[0][3, 5] = torch.nan
    loss, g_x, g_weight, _ = ours(matrices, given, targets)
    assert loss.isnan() and g_x[3].isnan().all() and g_weight.isnan().any()
    assert not g_x[4].isnan().any()


@pytest.mark.parametrize("features", [8, DEEP + 1])
def test_the_loss_takes_it_where_products_are_fast(
    features: int, matrices: Matrices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for features that do not fit into one pass."""
    monkeypatch.setattr(softmax, "fast_matrices", lambda x: matrices)
    taken: list[int] = []

    def told(*given: Any) -> tuple[Tensor, ...]:
        taken.append(1)
        return by_exponentials(*given)

    monkeypatch.setattr(softmax, "by_exponentials", told)
    given, targets = draw(5, features, 7, features**-0.5)
    leaves = [t.requires_grad_() for t in given]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = softmax_loss(*leaves, targets)
    wanted = torchs([t.detach() for t in given], targets)
    assert float(loss.detach()) == pytest.approx(float(wanted[0]), rel=0.01)
    for g, w in zip(torch.autograd.grad(loss, leaves), wanted[1:], strict=True):
        assert float((g - w).norm()) <= 0.015 * float(w.norm())
    assert bool(taken) == (features <= DEEP)
