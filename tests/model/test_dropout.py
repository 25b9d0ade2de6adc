"""Each dropout: how much it drops, what stands together, and where its gradient goes."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.model import dropout
from ulmfit.model.dropout import (
    Dropouts,
    embed_with_dropout,
    keep_mask,
    locked_dropout,
    weight_dropout,
)

P = 0.25  # a whole number of LEVELS
KEPT = 1 / (1 - P)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_locked_dropout_drops_the_same_features_at_every_step() -> None:
    y = locked_dropout(torch.ones(11, 4, 50), P, True)
    assert torch.equal(y, y[:1].expand_as(y))
    assert not torch.equal(y[0, 0], y[0, 1]), "each row of the batch has a mask of its own"


def test_locked_dropout_drops_a_share_p_and_scales_the_rest() -> None:
    y = locked_dropout(torch.ones(2, 100, 1000), P, True)
    assert y.unique().tolist() == pytest.approx([0, KEPT])
    # 100,000 draws: five standard deviations are 0.0072.
    assert float((y[0] == 0).float().mean()) == pytest.approx(P, abs=0.0072)


def test_the_gradient_of_locked_dropout_is_its_mask() -> None:
    x = torch.randn(5, 3, 8, requires_grad=True)
    y = locked_dropout(x, P, True)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.where(y == 0, 0.0, KEPT))


def test_embedding_dropout_drops_whole_words_wherever_they_stand() -> None:
    weight = torch.rand(60, 9) + 1
    ids = torch.randint(60, (40, 5))
    y = embed_with_dropout(ids, weight, P, True)
    ratio = y / F.embedding(ids, weight)
    for word in ids.unique():
        values = ratio[ids == word]
        assert torch.allclose(values, values[0, 0]), "one fate for all places of a word"
        assert float(values[0, 0]) == pytest.approx(0) or float(values[0, 0]) == pytest.approx(KEPT)


def test_embedding_dropout_drops_a_share_p_of_the_words() -> None:
    y = embed_with_dropout(torch.arange(100_000)[None], torch.ones(100_000, 1), P, True)
    assert float((y == 0).float().mean()) == pytest.approx(P, abs=0.0072)


def test_the_gradient_of_embedding_dropout_is_that_of_a_masked_matrix() -> None:
    weight = torch.randn(20, 6, requires_grad=True)
    ids = torch.randint(20, (15, 4))
    torch.manual_seed(3)
    y = embed_with_dropout(ids, weight, P, True)
    y.square().sum().backward()
    same = weight.detach().clone().requires_grad_()
    mask = torch.zeros(20, 1)
    for word in ids.unique():  # read the mask off the result
        mask[word] = KEPT if bool((y[ids == word] != 0).any()) else 0
    F.embedding(ids, same * mask).square().sum().backward()
    torch.testing.assert_close(weight.grad, same.grad)


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How weights are dropped on a CPU: by compiled code, or where there is none."""
    if request.param == "torch":
        monkeypatch.setattr(dropout, "can_drop", lambda *asked: False)
    elif not dropout.can_drop(torch.ones(1), torch.float32):
        pytest.skip("there is no compiled code here")
    return str(request.param)


def dropped(weight: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    return weight_dropout(weight, P, True, dtype)


def test_weight_dropout_drops_single_numbers(way: str) -> None:
    y = dropped(torch.ones(400, 250))
    assert y.unique().tolist() == pytest.approx([0, KEPT])
    assert float((y == 0).float().mean()) == pytest.approx(P, abs=0.0072)
    rows = (y == 0).float().mean(1)
    assert float(rows.min()) > 0.1 and float(rows.max()) < 0.5, "no row goes as a whole"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_dropped_weights_are_rounded_once_and_their_gradient_passes_the_mask(
    way: str, dtype: torch.dtype
) -> None:
    weight = torch.randn(9, 7, requires_grad=True)
    y = dropped(weight, dtype)
    kept = y != 0
    assert 30 < int(kept.sum()) < 60 and y.dtype == dtype
    assert torch.equal(y, torch.where(kept, weight * KEPT, 0).to(dtype))
    given = torch.randn(7, 9).to(dtype).t()  # a gradient may come in any layout
    y.backward(given)
    assert weight.grad is not None and weight.grad.dtype == torch.float32
    torch.testing.assert_close(weight.grad, torch.where(kept, given.float() * KEPT, 0))


def test_every_pass_drops_other_weights_and_the_same_state_the_same(way: str) -> None:
    weight, state = torch.ones(30, 20), torch.get_rng_state()
    first, second = dropped(weight), dropped(weight)
    torch.set_rng_state(state)
    assert torch.equal(dropped(weight), first) and not torch.equal(first, second)


def test_without_training_or_at_zero_each_changes_nothing() -> None:
    x, ids = torch.randn(4, 3, 5), torch.randint(5, (4, 3))
    weight = torch.randn(5, 5)
    for p, training in [(P, False), (0.0, True)]:
        assert torch.equal(locked_dropout(x, p, training), x)
        assert weight_dropout(weight, p, training, torch.float32) is weight
        assert torch.equal(embed_with_dropout(ids, weight, p, training), F.embedding(ids, weight))


def test_scaled_multiplies_all_five() -> None:
    assert Dropouts(0.4, 0.3, 0.2, 0.1, 0.5).scaled(0.5) == Dropouts(0.2, 0.15, 0.1, 0.05, 0.25)


@pytest.mark.parametrize("p", [0.02, 0.5, 0.9999])
def test_a_mask_keeps_the_mean_though_probabilities_are_rounded(p: float) -> None:
    mask = keep_mask((4_000_001,), p, torch.ones(1))
    deviation = (p / (1 - p) / len(mask)) ** 0.5
    assert float(mask.mean()) == pytest.approx(1, abs=5 * deviation)
    assert float((mask == 0).double().mean()) == pytest.approx(p, abs=5e-4)


def test_the_four_numbers_of_a_draw_are_independent() -> None:
    kept = (keep_mask((400_000,), P, torch.ones(1)) != 0).double().view(-1, 4)
    correlation = torch.corrcoef(kept.t()) - torch.eye(4)
    assert float(correlation.abs().max()) < 5 / 100_000**0.5


def test_a_mask_takes_the_type_and_is_the_same_from_the_same_state() -> None:
    masks = []
    for _ in range(2):
        torch.manual_seed(3)
        masks.append(keep_mask((3, 5), P, torch.ones(1, dtype=torch.bfloat16)))
    assert torch.equal(*masks) and masks[0].dtype == torch.bfloat16
