"""The LSTM layer, slow and fast, against torch.nn.LSTM: values, states and every gradient."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ulmfit.model.lstm import LSTMLayer, bf16_is_right, lstm_native, lstm_reference

SIZES = [(7, 3, 5, 4), (1, 1, 1, 1), (12, 2, 6, 9)]  # time, batch, features, hidden
PATHS = {"reference": lstm_reference, "native": lstm_native}


def draw(time: int, batch: int, features: int, hidden: int) -> list[Tensor]:
    """x, h, c, w_ih, w_hh, bias."""
    generator = torch.Generator().manual_seed(time + hidden)
    shapes = [
        (time, batch, features),
        (batch, hidden),
        (batch, hidden),
        (4 * hidden, features),
        (4 * hidden, hidden),
        (4 * hidden,),
    ]
    return [torch.randn(s, generator=generator).requires_grad_() for s in shapes]


def torch_lstm(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> list[Tensor]:
    layer = nn.LSTM(x.shape[2], h.shape[1])
    w_ih, w_hh, bias = weights
    named = {
        "weight_ih_l0": w_ih,
        "weight_hh_l0": w_hh,
        "bias_ih_l0": bias,
        "bias_hh_l0": torch.zeros_like(bias),
    }
    y, (h, c) = torch.func.functional_call(layer, named, (x, (h[None], c[None])))
    return [y, h[0], c[0]]


def gradients(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Of a sum in which every number of every output has a weight of its own."""
    total = sum(
        ((o * torch.linspace(-1, 2, o.numel()).view(o.shape)).sum() for o in outputs),
        start=torch.zeros(()),
    )
    return list(torch.autograd.grad(total, leaves))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_each_path_is_torchs_lstm(
    path: Callable[..., tuple[Tensor, tuple[Tensor, Tensor]]], sizes: tuple[int, ...]
) -> None:
    x, h, c, *weights = leaves = draw(*sizes)
    y, state = path(x, (h, c), *weights)
    got, wanted = [y, *state], torch_lstm(x, h, c, *weights)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        gradients(got, leaves), gradients(wanted, leaves), atol=1e-5, rtol=1e-5
    )


def test_a_layer_carries_its_state_from_window_to_window() -> None:
    torch.manual_seed(0)
    layer = LSTMLayer(4, 6).eval()
    x, zero = torch.randn(9, 2, 4), torch.zeros(2, 6)
    whole, end = layer(x, (zero, zero))
    first, middle = layer(x[:4], (zero, zero))
    second, end_again = layer(x[4:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end_again, end)


def test_weight_dropout_is_on_in_training_only() -> None:
    torch.manual_seed(0)
    layer = LSTMLayer(4, 6, weight_p=0.5)
    x, state = torch.randn(5, 2, 4), (torch.randn(2, 6), torch.zeros(2, 6))
    plain = lstm_reference(x, state, layer.w_ih, layer.w_hh, layer.bias)[0]
    torch.testing.assert_close(layer.eval()(x, state)[0], plain)
    assert not torch.allclose(layer.train()(x, state)[0], plain, atol=1e-3)


def test_the_gradient_of_weight_dropout_reaches_the_raw_matrix_through_the_mask() -> None:
    torch.manual_seed(0)
    layer = LSTMLayer(4, 6, weight_p=0.5)
    x, state = torch.randn(5, 2, 4), (torch.randn(2, 6), torch.zeros(2, 6))
    torch.manual_seed(7)
    layer(x, state)[0].square().sum().backward()
    torch.manual_seed(7)
    mask = nn.functional.dropout(torch.ones_like(layer.w_hh), 0.5)
    raw = [layer.w_ih, layer.w_hh, layer.bias]
    w_ih, w_hh, bias = (p.detach().clone().requires_grad_() for p in raw)
    lstm_reference(x, state, w_ih, w_hh * mask, bias)[0].square().sum().backward()
    torch.testing.assert_close(
        [p.grad for p in raw], [w_ih.grad, w_hh.grad, bias.grad], atol=1e-5, rtol=1e-5
    )
    assert layer.w_hh.grad is not None and bool((layer.w_hh.grad[mask == 0] == 0).all())


def test_the_probe_of_bf16_says_the_same_in_inference_mode() -> None:
    bf16_is_right.cache_clear()
    trained = bf16_is_right(16, 16)
    bf16_is_right.cache_clear()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert bf16_is_right(16, 16) == trained
