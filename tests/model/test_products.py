"""Which products are taken: compiled ones where they are right, PyTorch's everywhere else."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from ulmfit import compiled, device
from ulmfit.model import products
from ulmfit.model.native.matrices import Matrices, Panels, compiled_matrices
from ulmfit.model.products import fast_matrices, product


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of a CPU with AVX512-bf16, whatever this one has."""
    monkeypatch.setattr(device, "cpu_bf16_units", lambda: "AVX512-bf16")
    monkeypatch.setattr(Matrices, "is_fast", True)
    products._found.cache_clear()
    yield
    products._found.cache_clear()


def drawn(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows)).bfloat16()


def needs_a_compiler() -> None:
    try:
        compiled_matrices()
    except compiled.Unavailable as error:
        pytest.skip(str(error))


def test_a_product_is_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_a_compiler()
    monkeypatch.setattr(products, "SMALL", 0)
    x, w, bias = drawn(70, 50), drawn(50, 40), drawn(1, 40)[0]
    wanted = x.double() @ w.double()
    for got in (product(x, w), product(x.t().contiguous().t(), w.t().contiguous().t())):
        assert got.dtype == torch.bfloat16
        assert float((got - wanted).norm()) <= 0.004 * float(wanted.norm())
    assert float((product(x, w, bias) - wanted - bias).norm()) <= 0.004 * float(wanted.norm())
    sparse = x[:, ::2], w[::2]
    torch.testing.assert_close(product(*sparse), sparse[0] @ sparse[1])
    single = x.float(), w.float()
    torch.testing.assert_close(product(*single, bias.float()), single[0] @ single[1] + bias)


@pytest.mark.parametrize("small", [True, False])
def test_small_ones_are_pytorchs_own(small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_a_compiler()
    monkeypatch.setattr(products, "SMALL", 70 * 50 * 40 + small)
    taken: list[Panels] = []
    multiply = Matrices.product
    monkeypatch.setattr(
        Matrices, "product", lambda self, x, w, bias: taken.append(w) or multiply(self, x, w, bias)
    )
    product(drawn(70, 50), drawn(50, 40))
    assert len(taken) == (not small)


def test_compiled_ones_are_for_bf16_on_a_cpu_that_has_no_better_units(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs_a_compiler()
    x = drawn(2, 2)
    assert fast_matrices(x) is compiled_matrices()
    assert fast_matrices(x.float()) is None
    assert fast_matrices(x.to("meta")) is None
    for units in ("AMX", None):
        monkeypatch.setattr(device, "cpu_bf16_units", lambda units=units: units)
        assert fast_matrices(x) is None


def test_what_is_compiled_for_no_dot_products_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Matrices, "is_fast", False)
    assert fast_matrices(drawn(2, 2)) is None


def test_without_a_compiler_pytorchs_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Matrices:
        raise compiled.Unavailable("no compiler")

    monkeypatch.setattr(products, "compiled_matrices", none)
    assert fast_matrices(drawn(2, 2)) is None


@pytest.mark.parametrize("wrong", ["sums", "exponentials"])
def test_wrong_ones_are_told_and_not_taken(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_a_compiler()
    right = getattr(Matrices, wrong)
    monkeypatch.setattr(Matrices, wrong, lambda *given: right(*given) * 1.01)
    with pytest.warns(UserWarning, match="wrong here"):
        assert fast_matrices(drawn(2, 2)) is None
