"""The layer by hand against the definition: values, states and every gradient, padded or not."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from ulmfit import device as devices
from ulmfit.model import lstm_choice
from ulmfit.model.lstm import LSTMLayer
from ulmfit.model.lstm_cell import PLAIN, Cell
from ulmfit.model.lstm_choice import steps_are_right
from ulmfit.model.lstm_paths import Path, lstm_reference
from ulmfit.model.lstm_steps import Recurrence, Stepwise, lstm_steps

SIZES = [(7, 3, 5, 4), (1, 1, 1, 1), (6, 4, 8, 16), (4, 2, 16, 9)]  # time, batch, features, hidden
GPU = "cuda"


def draw(sizes: tuple[int, ...], dtype: torch.dtype, device: str) -> list[Tensor]:
    """x, h, c, w_ih, w_hh, bias, with gradients wanted."""
    time, batch, features, hidden = sizes
    generator = torch.Generator().manual_seed(time + hidden)
    shapes = [
        (time, batch, features),
        *((batch, hidden), (batch, hidden)),
        *((4 * hidden, features), (4 * hidden, hidden), (4 * hidden,)),
    ]
    drawn = [torch.randn(s, generator=generator) for s in shapes]
    drawn[3:] = [w * hidden**-0.5 for w in drawn[3:]]  # as weights are drawn: gates that move
    kinds = [dtype, dtype, torch.float32, dtype, dtype, dtype]  # c is fp32 always
    return [t.to(device, k).requires_grad_() for t, k in zip(drawn, kinds, strict=True)]


def run(path: Path, leaves: list[Tensor]) -> list[Tensor]:
    """All outputs, then the gradients of a sum that weighs each number of them differently."""
    x, h, c, *weights = leaves
    y, state = path(x, (h, c), *weights)
    outputs = [y.float(), *(s.float() for s in state)]
    total = torch.zeros((), device=x.device)
    for o in outputs:
        total = total + (o * torch.linspace(-1, 2, o.numel(), device=o.device).view(o.shape)).sum()
    return [*(o.detach() for o in outputs), *torch.autograd.grad(total, leaves)]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_it_is_the_definition(sizes: tuple[int, ...]) -> None:
    leaves = draw(sizes, torch.float32, "cpu")
    got, wanted = run(lstm_steps, leaves), run(lstm_reference, leaves)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def assert_near(got: list[Tensor], wanted: list[Tensor], within: float) -> None:
    for g, w in zip(got, wanted, strict=True):
        assert float((g.cpu().float() - w).norm()) <= within * float(w.norm())


def test_in_bf16_it_stands_within_two_percent_of_fp32() -> None:
    sizes = (20, 8, 24, 32)
    got = run(lstm_steps, draw(sizes, torch.bfloat16, "cpu"))
    assert_near(got, run(lstm_reference, draw(sizes, torch.float32, "cpu")), 0.02)


def test_only_the_gradients_that_are_wanted_are_made() -> None:
    leaves = draw((5, 2, 8, 8), torch.float32, "cpu")
    x, h, c, *weights = leaves
    frozen = [w.detach() for w in weights]
    y, _ = lstm_steps(x, (h, c), *frozen)
    (got,) = torch.autograd.grad(y.square().sum(), [x])
    y, _ = lstm_reference(x, (h, c), *frozen)
    (wanted,) = torch.autograd.grad(y.square().sum(), [x])
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def test_the_probe_accepts_the_path_and_rejects_a_wrong_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps_are_right.cache_clear()
    assert steps_are_right(torch.device("cpu"), 16, 24)

    def forgets_the_cell(gates: Tensor, c: Tensor, c_next: Tensor, h_next: Tensor) -> None:
        PLAIN.forward(gates, torch.zeros_like(c), c_next, h_next)

    wrong = Stepwise(Cell(forgets_the_cell, PLAIN.gradient))
    monkeypatch.setattr("ulmfit.model.lstm_steps.recurrence_for", lambda x: wrong)
    steps_are_right.cache_clear()
    with pytest.warns(UserWarning, match="wrong gradients"):
        assert not steps_are_right(torch.device("cpu"), 16, 24)
    steps_are_right.cache_clear()


def test_a_kernel_that_does_not_compile_is_told_and_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(x: Tensor) -> Recurrence:
        raise ValueError("no compiler")

    monkeypatch.setattr("ulmfit.model.lstm_steps.recurrence_for", broken)
    steps_are_right.cache_clear()
    with pytest.warns(UserWarning, match="no compiler"):
        assert not steps_are_right(torch.device("cpu"), 16, 24)
    steps_are_right.cache_clear()


@pytest.mark.parametrize(
    ("wanted", "as_one", "taken"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("steps", False, True),
        ("native", True, False),
    ],
)
def test_on_a_gpu_steps_are_taken_where_they_are_launched_as_one(
    wanted: str, as_one: bool, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Predictions and classifiers, which are not recorded, take cuDNN's few kernels."""
    monkeypatch.setattr(lstm_choice, "ON_GPU", wanted)
    monkeypatch.setattr(lstm_choice, "steps_are_right", lambda *layer: True)
    monkeypatch.setattr(devices, "compiles_kernels", lambda device: True)
    elsewhere = torch.empty(3, 2, 8, dtype=torch.bfloat16, device="meta")
    assert not devices.launched_as_one()
    with devices._as_one() if as_one else nullcontext():
        assert lstm_choice.runs_in_steps(elsewhere, 16) is taken
    assert not devices.launched_as_one()


@pytest.mark.gpu
@pytest.mark.parametrize("hidden", [400, 1150, 1152])
@pytest.mark.parametrize("path", ["steps", "native"])
def test_on_a_gpu_a_layer_in_bf16_agrees_with_fp32(
    path: str, hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with weight dropout: the mask is drawn once for both."""
    monkeypatch.setattr(lstm_choice, "ON_GPU", path)
    torch.manual_seed(0)
    layer = LSTMLayer(400, hidden).to(GPU).train()
    x = torch.randn(70, 32, 400, device=GPU)
    state = torch.randn(32, hidden, device=GPU).tanh(), torch.randn(32, hidden, device=GPU)
    low = [p.detach().clone() for p in (layer.w_ih, layer.w_hh, layer.bias)]
    with torch.autocast(GPU, dtype=torch.bfloat16):
        y, (h, c) = layer(x, state)
    (y.float().square().sum() + h.sum() + c.sum()).backward()
    leaves = [w.requires_grad_() for w in low]
    y_true, (h_true, c_true) = lstm_reference(x, state, *leaves)
    wanted = torch.autograd.grad(y_true.square().sum() + h_true.sum() + c_true.sum(), leaves)
    got = [p.grad for p in (layer.w_ih, layer.w_hh, layer.bias) if p.grad is not None]
    pairs = [*zip(got, wanted, strict=True), (y, y_true), (h, h_true), (c, c_true)]
    for g, w in pairs:
        assert float((g.detach().float() - w.detach()).norm()) <= 0.01 * float(w.detach().norm())
