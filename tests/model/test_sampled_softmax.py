"""The sampled softmax loss: exact where it sees all words, without bias where it samples."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.model import logits
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.model.sampled_softmax import sampled_softmax_loss

WORDS = 300
WHOLE = [(WORDS, 0), (40, WORDS - 40), (0, WORDS), (10**4, 10**4)]


def draw(n: int = 50, features: int = 9) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(n, features), (WORDS, features), (WORDS,)]
    leaves = [torch.randn(s, generator=generator).requires_grad_() for s in shapes]
    return leaves, torch.randint(WORDS, (n,), generator=generator)


@pytest.mark.parametrize("rows", [7, 10**6], ids=lambda r: f"{r} rows a chunk")
@pytest.mark.parametrize(("head", "sample"), WHOLE)
def test_a_sample_of_all_words_is_the_full_softmax(
    head: int, sample: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logits, "CHUNK_BYTES", rows * 4 * WORDS)
    leaves, targets = draw()
    got = sampled_softmax_loss(*leaves, targets, head, sample)
    wanted = F.cross_entropy(F.linear(leaves[0], leaves[1], leaves[2]), targets)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        torch.autograd.grad(got, leaves), torch.autograd.grad(wanted, leaves), atol=1e-5, rtol=1e-5
    )


def estimated_sums(head: int, sample: int, draws: int) -> tuple[Tensor, Tensor]:
    """(mean over draws of the estimated sum of exponentials, the true sum) of each position."""
    (x, weight, bias), targets = (t for t in draw(n=6))
    logits = F.linear(x, weight, bias).detach()
    own = logits.gather(1, targets[:, None])[:, 0]
    total = torch.zeros(len(x))
    for _ in range(draws):
        state = torch.get_rng_state()
        for i in range(len(x)):
            torch.set_rng_state(state)
            one = sampled_softmax_loss(x[i : i + 1], weight, bias, targets[i : i + 1], head, sample)
            total[i] += (one.detach() + own[i]).exp() / draws
    return total, logits.exp().sum(1)


def test_the_estimated_sum_over_the_vocabulary_has_no_bias() -> None:
    torch.manual_seed(0)
    estimated, true = estimated_sums(head=20, sample=140, draws=400)
    torch.testing.assert_close(estimated, true, rtol=0.06, atol=0)


def test_gradients_are_those_of_the_sampled_loss() -> None:
    leaves, targets = draw(n=8, features=3)
    doubles = [leaf.detach().double().requires_grad_() for leaf in leaves]

    def loss(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        torch.manual_seed(1)  # the same words are drawn at every call
        return sampled_softmax_loss(x, weight, bias, targets, 30, 60)

    found = torch.autograd.grad(loss(*doubles), doubles)
    for leaf, gradient in zip(doubles, found, strict=True):
        step = torch.randn_like(leaf) * 1e-2
        moved = [
            loss(*(t + s * step if t is leaf else t for t in doubles)).detach() for s in (1, -1)
        ]
        slope = float(moved[0] - moved[1]) / 2
        assert slope == pytest.approx(float((gradient * step).sum()), rel=0.01, abs=2e-6)


def test_large_logits_do_not_overflow() -> None:
    (x, weight, bias), targets = draw()
    leaves = [(x.detach() * 30).requires_grad_(), weight, bias]
    gradients = torch.autograd.grad(sampled_softmax_loss(*leaves, targets, 30, 60), leaves)
    assert all(bool(g.isfinite().all()) for g in gradients)


def test_bf16_stands_near_fp32() -> None:
    leaves, targets = draw()
    torch.manual_seed(0)
    wanted = sampled_softmax_loss(*leaves, targets, 30, 60)
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = sampled_softmax_loss(*leaves, targets, 30, 60)
    assert float(got.detach()) == pytest.approx(float(wanted.detach()), rel=0.01)
    pairs = zip(torch.autograd.grad(got, leaves), torch.autograd.grad(wanted, leaves), strict=True)
    for g, w in pairs:
        assert float((g - w).norm() / w.norm()) < 0.02


def test_what_is_trained_with_it_is_good_by_the_exact_evaluation() -> None:
    torch.manual_seed(0)
    encoder = AWDLSTM(Architecture(5000, 16, 24, 1), Dropouts(0, 0, 0, 0, 0))
    model = LanguageModel(encoder, 0.0, 0.0, "sampled")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    ids = torch.tensor([7, 4000, 11, 4999, 30, 3000]).repeat(6)[:, None].repeat(1, 4)
    states = encoder.initial_states(4)
    for _ in range(60):
        loss, _, _ = model.loss(ids[:-1], ids[1:], states)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    nats, _ = model.nats(ids[:-1], ids[1:], states)
    assert float(nats.mean().detach()) < math.log(6) + 0.2  # six words of 5,000, at first 8.5
