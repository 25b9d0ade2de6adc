"""Each loss against torch's own and against its definition; its gradient is finite."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.model.losses import (
    Loss,
    binary_cross_entropy,
    continuation_ratio,
    cross_entropy,
    squared_error,
)
from ulmfit.targets.answers import nats, probabilities

torch.manual_seed(0)
OUTPUTS = torch.randn(12, 4, dtype=torch.float64) * 3
CLASSES = torch.arange(12) % 4
SETS = (torch.rand(12, 4) < 0.4).double()
RANKS = torch.arange(12) % 5
VALUES = torch.randn(12, dtype=torch.float64)
WEIGHTS = torch.rand(12, dtype=torch.float64)


def test_plain_losses_are_torchs() -> None:
    assert cross_entropy()(OUTPUTS, CLASSES, None) == F.cross_entropy(OUTPUTS, CLASSES)
    wanted = F.binary_cross_entropy_with_logits(OUTPUTS, SETS)
    assert binary_cross_entropy()(OUTPUTS, SETS, None).item() == pytest.approx(wanted.item())
    wanted = F.mse_loss(OUTPUTS[:, 0], VALUES)
    assert squared_error()(OUTPUTS[:, :1], VALUES, None).item() == pytest.approx(wanted.item())


def test_smoothing_is_torchs() -> None:
    got = cross_entropy(smoothing=0.1)(OUTPUTS, CLASSES, None)
    wanted = F.cross_entropy(OUTPUTS, CLASSES, label_smoothing=0.1)
    assert got.item() == pytest.approx(wanted.item())
    got = binary_cross_entropy(smoothing=0.1)(OUTPUTS, SETS, None)
    wanted = F.binary_cross_entropy_with_logits(OUTPUTS, SETS * 0.9 + 0.05)
    assert got.item() == pytest.approx(wanted.item())


def test_the_loss_of_ranks_is_their_likelihood_and_corns_sum() -> None:
    """CORN: task k sees the texts whose rank reached k, and asks whether it goes beyond."""
    got = continuation_ratio()(OUTPUTS, RANKS, None)
    rows = probabilities(OUTPUTS.numpy()[:, None], "ordinal")
    assert got.item() == pytest.approx(nats(rows, RANKS.numpy(), "ordinal").mean())
    total = 0.0
    for k in range(4):
        reached = k <= RANKS
        total += F.binary_cross_entropy_with_logits(
            OUTPUTS[reached, k], (RANKS[reached] > k).double(), reduction="sum"
        ).item()
    assert got.item() == pytest.approx(total / 12)


def test_the_focal_loss_by_definition() -> None:
    given = OUTPUTS.softmax(1)[torch.arange(12), CLASSES]
    wanted = (-((1 - given) ** 2) * given.log()).mean()
    assert cross_entropy(focus=2)(OUTPUTS, CLASSES, None).item() == pytest.approx(wanted.item())
    p = OUTPUTS.sigmoid()
    given = torch.where(SETS > 0, p, 1 - p)
    wanted = (-((1 - given) ** 2) * given.log()).mean()
    assert binary_cross_entropy(focus=2)(OUTPUTS, SETS, None).item() == pytest.approx(wanted.item())


CASES = [
    (cross_entropy, OUTPUTS, CLASSES),
    (binary_cross_entropy, OUTPUTS, SETS),
    (continuation_ratio, OUTPUTS, RANKS),
    (lambda *_: squared_error(), OUTPUTS[:, :1], VALUES),
]


@pytest.mark.parametrize(("make", "outputs", "targets"), CASES)
@pytest.mark.parametrize(("focus", "smoothing"), [(0.0, 0.0), (2.0, 0.0), (1.5, 0.1)])
def test_a_weight_of_two_is_a_text_twice(
    make, outputs: Tensor, targets: Tensor, focus: float, smoothing: float
) -> None:
    loss: Loss = make(focus, smoothing)
    weights = torch.ones(12, dtype=torch.float64)
    weights[3] = 2.0
    again = [*range(12), 3]
    twice = loss(outputs[again], targets[again], None) * 13 / 12
    assert loss(outputs, targets, weights).item() == pytest.approx(twice.item())
    even = loss(outputs, targets, torch.ones(12, dtype=torch.float64))
    assert even.item() == pytest.approx(loss(outputs, targets, None).item())


def test_weights_of_texts_and_classes() -> None:
    both = WEIGHTS[:, None] * torch.tensor([1.0, 2.0, 0.5, 1.0])
    wanted = F.binary_cross_entropy_with_logits(OUTPUTS, SETS, weight=both)
    assert binary_cross_entropy()(OUTPUTS, SETS, both).item() == pytest.approx(wanted.item())


@pytest.mark.parametrize(("make", "outputs", "targets"), CASES)
@pytest.mark.parametrize("focus", [0.0, 0.5, 2.0])
def test_gradients_are_finite_for_outputs_of_any_size(
    make, outputs: Tensor, targets: Tensor, focus: float
) -> None:
    for size in (1.0, 100.0):  # certainty beyond fp32
        leaf = (outputs * size).float().requires_grad_()
        target = targets.float() if targets.is_floating_point() else targets
        (slope,) = torch.autograd.grad(make(focus, 0.1 * (focus > 0))(leaf, target, None), leaf)
        assert torch.isfinite(slope).all() and slope.any()


def test_the_gradient_of_ranks_agrees_with_finite_differences() -> None:
    leaf = OUTPUTS.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: continuation_ratio(2.0, 0.1)(x, RANKS, WEIGHTS), (leaf,)
    )
    assert np.isfinite(leaf.detach().numpy()).all()
