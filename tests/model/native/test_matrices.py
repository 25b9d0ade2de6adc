"""Compiled products of bf16 matrices against float64, at every width of vector."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ulmfit.model.native import matrices as native
from ulmfit.model.native.matrices import SOURCE, Matrices

#: rows, inputs, columns: less than a block, whole blocks, and a little more; odd inputs
SIZES = [(1, 1, 1), (12, 16, 32), (13, 33, 50), (100, 64, 48), (25, 7, 16), (40, 4609, 20)]


@pytest.fixture(scope="module")
def matrices(opened: Callable[[Path, Callable[[], Matrices]], Matrices]) -> Matrices:
    return opened(SOURCE, Matrices)


@pytest.fixture(params=[1, 3], ids=["1 thread", "3 threads"])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def drawn(rows: int, columns: int, across: bool, seed: int) -> Tensor:
    """(rows, columns) of bf16, of which the columns or the rows lie side by side."""
    generator = torch.Generator().manual_seed(seed)
    if across:
        return torch.randn(columns, rows, generator=generator).bfloat16().t()
    return torch.randn(rows, columns, generator=generator).bfloat16()


def assert_near(got: Tensor, wanted: Tensor, within: float) -> None:
    assert got.shape == wanted.shape
    assert float((got.double() - wanted).norm()) <= within * float(wanted.norm())


@pytest.mark.parametrize("w_across", [False, True], ids=["w along", "w across"])
@pytest.mark.parametrize("x_across", [False, True], ids=["x along", "x across"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_they_are_products(
    matrices: Matrices, sizes: tuple[int, int, int], x_across: bool, w_across: bool, threads: int
) -> None:
    rows, inputs, columns = sizes
    x, w = drawn(rows, inputs, x_across, 0), drawn(inputs, columns, w_across, 1)
    panels, wanted = matrices.packed(w), x.double() @ w.double()
    sums = matrices.sums(x, panels)
    assert_near(sums, wanted, 1e-6)
    assert matrices.sums(x, panels, sums) is sums
    assert_near(sums, 2 * wanted, 1e-6)
    bias = torch.linspace(-3, 3, columns)
    assert_near(matrices.product(x, panels, bias), wanted + bias.double(), 0.004)
    torch.testing.assert_close(
        matrices.product(x, panels), matrices.sums(x, panels).bfloat16(), rtol=0, atol=0
    )


def test_inputs_beyond_a_pass_are_added_up(
    matrices: Matrices, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(native, "DEEP", 10)
    x, w = drawn(30, 77, False, 0), drawn(77, 21, False, 1)
    wanted, bias = x.double() @ w.double(), torch.ones(21)
    assert_near(matrices.sums(x, matrices.packed(w)), wanted, 1e-6)
    assert_near(matrices.product(x, matrices.packed(w), bias), wanted + 1, 0.004)
    monkeypatch.setattr(native, "LAST_CACHE", 0)
    monkeypatch.setattr(native, "SHALLOW", 4)
    assert_near(matrices.sums(x, matrices.packed(w)), wanted, 1e-6)


def test_parts_of_larger_matrices_are_read_where_they_stand(matrices: Matrices) -> None:
    """And nothing beside them: what stands there is no number."""
    x, w = torch.full((40, 50), torch.nan).bfloat16(), torch.full((50, 60), torch.nan).bfloat16()
    x[3:33, 5:30], w[5:30, 7:47] = drawn(30, 25, False, 0), drawn(25, 40, False, 1)
    for a, b in ((x[3:33, 5:30], w[5:30, 7:47]), (w[5:30, 7:47].t(), x[3:33, 5:30].t())):
        assert_near(matrices.sums(a, matrices.packed(b)), a.double() @ b.double(), 1e-6)


def test_a_row_is_the_same_in_any_batch_to_the_last_bit(matrices: Matrices) -> None:
    x, panels = drawn(29, 83, False, 0), matrices.packed(drawn(83, 45, False, 1))
    together = matrices.sums(x, panels)
    for row in range(29):
        assert torch.equal(matrices.sums(x[row : row + 1], panels)[0], together[row])


@pytest.mark.parametrize("columns", [3, 16, 45, 64])
def test_exponentials_and_their_sums(matrices: Matrices, columns: int, threads: int) -> None:
    x, w = drawn(29, 16, False, 0), drawn(16, columns, False, 1)
    bias = torch.linspace(-5, 5, columns)
    logits = x.double() @ w.double() + bias
    highest, out = logits.amax(1).float() - 3, torch.empty(29, columns, dtype=torch.bfloat16)
    totals = matrices.exponentials(x, matrices.packed(w), bias, highest, out)
    wanted = (logits - highest.double()[:, None]).exp()
    assert_near(totals, wanted.sum(1), 1e-5)
    assert_near(out, wanted, 0.004)


def test_exponents_are_cut_at_40(matrices: Matrices) -> None:
    """So that the total tells where one lies beyond."""
    x, w = torch.tensor([[100.0], [-100.0]]).bfloat16(), torch.ones(1, 2).bfloat16()
    out = torch.empty(2, 2, dtype=torch.bfloat16)
    zeros = torch.zeros(2)
    totals = matrices.exponentials(x, matrices.packed(w), zeros, zeros, out)
    wanted = 2 * torch.tensor([40.0, -40.0], dtype=torch.float64).exp()
    torch.testing.assert_close(totals.double(), wanted, rtol=1e-5, atol=0)


def test_what_is_not_a_number_stays_so(matrices: Matrices) -> None:
    """Else a training that diverges would not be seen."""
    x, w = drawn(20, 8, False, 0), drawn(8, 5, False, 1)
    x[7, 3] = torch.nan
    panels, out = matrices.packed(w), torch.empty(20, 5, dtype=torch.bfloat16)
    totals = matrices.exponentials(x, panels, torch.zeros(5), torch.zeros(20), out)
    for got in (matrices.sums(x, panels), matrices.product(x, panels), out, totals[:, None]):
        assert got[7].isnan().all() and not got[torch.arange(20) != 7].isnan().any()
