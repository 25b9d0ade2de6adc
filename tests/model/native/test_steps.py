"""The compiled steps of a layer against the same steps one by one, at every width of vector."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ulmfit.model.lstm_cell import PLAIN
from ulmfit.model.lstm_steps import Recurrence, Stepwise
from ulmfit.model.native.steps import SOURCE, CompiledSteps

SIZES = [(1, 1, 16), (5, 3, 48), (7, 13, 32), (4, 40, 80)]  # time, batch, units


@pytest.fixture(scope="module")
def steps(opened: Callable[[Path, Callable[[], CompiledSteps]], CompiledSteps]) -> CompiledSteps:
    return opened(SOURCE, CompiledSteps)


def there_and_back(recurrence: Recurrence, sizes: tuple[int, int, int]) -> list[Tensor]:
    """h, c, the gates, and every gradient, from the same drawn numbers."""
    time, batch, units = sizes
    generator = torch.Generator().manual_seed(units)

    def drawn(*shape: int, scale: float = 1.0) -> Tensor:
        return (torch.randn(shape, generator=generator) * scale).bfloat16()

    gates, w_hh = drawn(time, batch, 4 * units), drawn(4 * units, units, scale=units**-0.5)
    hs, cs = torch.zeros(time + 1, batch, units).bfloat16(), torch.zeros(time + 1, batch, units)
    hs[0], cs[0] = drawn(batch, units), drawn(batch, units).float()
    recurrence.forward(gates, hs, cs, w_hh)
    d_y, d_h, d_c = drawn(time, batch, units), drawn(batch, units), drawn(batch, units).float()
    d_gates = torch.full_like(gates, torch.nan)
    d_first = recurrence.gradient(gates, cs, d_y, d_h, d_c, d_gates, w_hh)
    return [hs.float(), cs, gates.float(), d_gates.float(), d_first.float(), d_c]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_they_are_the_steps_one_by_one(
    steps: CompiledSteps, sizes: tuple[int, int, int], threads: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        got = there_and_back(steps, sizes)
    finally:
        torch.set_num_threads(before)
    for g, wanted in zip(got, there_and_back(Stepwise(PLAIN), sizes), strict=True):
        assert float((g - wanted).norm()) <= 0.01 * float(wanted.norm()), "roundings apart"


def test_a_row_is_the_same_in_any_batch_to_the_last_bit(steps: CompiledSteps) -> None:
    time, batch, units = 6, 29, 32
    torch.manual_seed(0)
    gates, w_hh = torch.randn(time, batch, 4 * units).bfloat16(), torch.randn(4 * units, units)
    cs, hs = torch.zeros(time + 1, batch, units), torch.zeros(time + 1, batch, units).bfloat16()
    alone = [t[:, 7:8].contiguous() for t in (gates, hs, cs)]
    steps.forward(gates, hs, cs, w_hh.bfloat16())
    steps.forward(*alone, w_hh.bfloat16())
    for together, single in zip((gates, hs, cs), alone, strict=True):
        assert torch.equal(together[:, 7:8], single)


def test_what_is_not_a_number_stays_so(steps: CompiledSteps) -> None:
    """Else a training that diverges would not be seen."""
    gates, w_hh = torch.zeros(2, 1, 64).bfloat16(), torch.zeros(64, 16).bfloat16()
    gates[0, 0, 3] = torch.nan
    hs, cs = torch.zeros(3, 1, 16).bfloat16(), torch.zeros(3, 1, 16)
    steps.forward(gates, hs, cs, w_hh)
    assert hs[1, 0, 3].isnan() and cs[2, 0, 3].isnan() and not hs[1, 0, 4].isnan()
