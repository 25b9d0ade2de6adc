"""The LSTM layer, slow and fast, against torch.nn.LSTM: values, states and every gradient."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from ulmfit.compiled import Unavailable
from ulmfit.model import lstm, lstm_choice
from ulmfit.model.dropout import weight_dropout
from ulmfit.model.lstm import LSTMLayer
from ulmfit.model.lstm_choice import arithmetic, bf16_is_right, cpu_path
from ulmfit.model.lstm_paths import Path, State, lstm_native, lstm_reference

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
    mask = weight_dropout(torch.ones_like(layer.w_hh), 0.5, True, torch.float32)
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


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is found with a stubbed kernel is forgotten; there are no compiled steps."""
    monkeypatch.setattr(lstm_choice, "_has_fast_steps", lambda: False)
    bf16_is_right.cache_clear()
    yield
    bf16_is_right.cache_clear()


def in_bf16(layer: LSTMLayer, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Every output of a step of training as `--precision bf16` takes it on a CPU."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, (h, c) = layer.train()(x, state)
    return y.float(), h, c


@pytest.mark.parametrize("hidden", [1150, 1152, 1025, 333])
def test_in_bf16_every_gradient_is_within_a_hundredth_of_the_definitions(hidden: int) -> None:
    """By whatever path the probe finds right here, through the mask of dropped weights."""
    torch.manual_seed(0)
    layer = LSTMLayer(64, hidden, weight_p=0.5)
    x, h, c = torch.randn(5, 4, 64), torch.randn(4, hidden).tanh(), torch.randn(4, hidden)
    leaves = [layer.w_ih, layer.w_hh, layer.bias, *(t.requires_grad_() for t in (x, h, c))]
    torch.manual_seed(7)
    got = gradients(list(in_bf16(layer, x, (h, c))), leaves)
    torch.manual_seed(7)
    mask = weight_dropout(torch.ones_like(layer.w_hh), 0.5, True, torch.float32).double()
    w_ih, w_hh, bias, x, h, c = exact = [t.detach().double().requires_grad_() for t in leaves]
    y, state = lstm_reference(x, (h, c), w_ih, w_hh * mask, bias)
    for g, w in zip(got, gradients([y, *state], exact), strict=True):
        assert float((g - w).norm()) <= 0.01 * float(w.norm())


def stubbed(wrong_by: float, seen: list[torch.dtype]) -> Path:
    """A kernel whose gradient of the recurrent matrix is off by a share, in bf16 only."""

    def kernel(
        x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, bias: Tensor
    ) -> tuple[Tensor, State]:
        seen.append(x.dtype)
        if x.dtype == torch.bfloat16:
            w_hh = w_hh + wrong_by * (w_hh - w_hh.detach())
        h, c = state
        y, last = lstm_reference(
            x.float(), (h.float(), c.float()), w_ih.float(), w_hh.float(), bias.float()
        )
        return y.to(x.dtype), last

    return kernel


@pytest.mark.parametrize(("wrong_by", "right"), [(0.0, True), (0.05, False), (-1.0, False)])
def test_a_wrong_kernel_is_rejected_and_the_layer_computes_in_fp32(
    wrong_by: float, right: bool, monkeypatch: pytest.MonkeyPatch, unprobed: None
) -> None:
    seen: list[torch.dtype] = []
    for module in (lstm, lstm_choice):
        monkeypatch.setattr(module, "lstm_native", stubbed(wrong_by, seen))
    assert bf16_is_right(16, 24) == right
    in_bf16(LSTMLayer(16, 24), torch.randn(3, 2, 16), (torch.zeros(2, 24), torch.zeros(2, 24)))
    assert seen[-1] == (torch.bfloat16 if right else torch.float32)


def test_a_kernel_that_does_not_run_is_rejected(
    monkeypatch: pytest.MonkeyPatch, unprobed: None
) -> None:
    def missing(*_: object) -> None:
        raise RuntimeError("mkldnn_bf16 needs AVX512")

    monkeypatch.setattr(lstm_choice, "lstm_native", missing)
    assert not bf16_is_right(16, 24)


SIZES_OF_LAYERS = [(400, 1152), (1152, 1152), (1152, 400)]
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([], "bf16 (AMX)"),
        ([1], "bf16 (AMX), layer 2 of 3 in fp32: "),
        ([0, 1], "bf16 (AMX), layers 1 and 2 of 3 in fp32: "),
    ],
)
def test_the_path_is_told_with_the_layers_that_stay_in_fp32(
    wrong: list[int], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_fault = [SIZES_OF_LAYERS[i] for i in wrong]
    monkeypatch.setattr(lstm_choice, "bf16_is_right", lambda *size: size not in at_fault)
    monkeypatch.setattr(lstm_choice, "_has_fast_steps", lambda: False)
    monkeypatch.setattr("ulmfit.device.cpu_bf16_units", lambda: "AMX")
    found = arithmetic(SIZES_OF_LAYERS, CPU, "auto")
    assert (found.precision, found.fp32_layers) == ("bf16", tuple(wrong))
    assert found.told().startswith(told) and (wrong or found.told() == told)


def test_in_fp32_nothing_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(lstm_choice, "bf16_is_right")
    found = arithmetic(SIZES_OF_LAYERS, CPU, "fp32")
    assert found.told() == f"fp32 ({torch.backends.cpu.get_cpu_capability()})"


@pytest.mark.parametrize(
    ("units", "fast_steps", "native", "path"),
    [
        ("AMX", True, True, "native"),
        ("AMX", True, False, "steps"),
        ("AMX", False, False, None),
        ("AVX512-bf16", True, True, "steps"),
        ("AVX512-bf16", False, True, "native"),
        ("AVX512-bf16", False, False, None),
    ],
)
def test_the_fastest_path_that_is_right_is_taken(
    units: str, fast_steps: bool, native: bool, path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ulmfit.device.cpu_bf16_units", lambda: units)
    monkeypatch.setattr(lstm_choice, "_has_fast_steps", lambda: fast_steps)
    monkeypatch.setattr(lstm_choice, "steps_are_right", lambda *_: True)
    monkeypatch.setattr(lstm_choice, "bf16_is_right", lambda *_: native)
    assert cpu_path(16, 24) == path


def test_steps_with_wrong_gradients_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ulmfit.device.cpu_bf16_units", lambda: "AVX512-bf16")
    monkeypatch.setattr(lstm_choice, "_has_fast_steps", lambda: True)
    monkeypatch.setattr(lstm_choice, "steps_are_right", lambda *_: False)
    monkeypatch.setattr(lstm_choice, "bf16_is_right", lambda *_: True)
    assert cpu_path(16, 24) == "native"


def test_without_a_compiler_training_goes_on_with_a_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable() -> None:
        raise Unavailable("there is no C compiler (cc)")

    lstm_choice._has_fast_steps.cache_clear()
    monkeypatch.setattr("ulmfit.device.cpu_bf16_units", lambda: "AVX512-bf16")
    monkeypatch.setattr(lstm_choice, "compiled_steps", unavailable)
    monkeypatch.setattr(lstm_choice, "bf16_is_right", lambda *_: True)
    with pytest.warns(UserWarning, match="training is slower here.*no C compiler"):
        assert cpu_path(16, 24) == "native"
    lstm_choice._has_fast_steps.cache_clear()
