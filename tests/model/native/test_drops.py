"""Dropping by compiled code against its definition, at every width of vector, and who does it."""

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ulmfit import compiled
from ulmfit.model.dropout import weight_dropout
from ulmfit.model.native import team
from ulmfit.model.native.drops import LEVELS, SOURCE, can_drop, drop

Compile = Callable[[Path, Sequence[str]], ctypes.CDLL]
TYPES = (torch.float32, torch.bfloat16)


@pytest.fixture(scope="module")
def code(flags: Sequence[str], compile_with: Compile) -> ctypes.CDLL:
    return compile_with(SOURCE, flags)


def kept(count: int, dropped: int, seed: int) -> Tensor:
    """Which numbers stay: SplitMix64 of a seed, four draws of 16 bits out of each word."""
    with np.errstate(over="ignore"):
        x = np.uint64(seed % 2**64) + np.arange(1, count // 4 + 2, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    shifts = np.arange(0, 64, 16, dtype=np.uint64)
    draws = (x[:, None] >> shifts & np.uint64(0xFFFF)).ravel()[:count]
    return torch.from_numpy(draws >= dropped)


@pytest.mark.parametrize("count", [0, 1, 3, 255, 256, 5_001])
@pytest.mark.parametrize("given", TYPES, ids=str)
@pytest.mark.parametrize("wanted", TYPES, ids=str)
def test_it_is_the_definition(
    code: ctypes.CDLL,
    given: torch.dtype,
    wanted: torch.dtype,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled, "library", lambda source: code)
    values = torch.randn(count, generator=torch.Generator().manual_seed(count)).to(given)
    for dropped, seed in [(LEVELS // 2, -1), (LEVELS - 1, 2**63 - 1), (1, 17)]:
        scaled = values.float() * (LEVELS / (LEVELS - dropped))
        expected = torch.where(kept(count, dropped, seed), scaled, 0).to(wanted)
        assert torch.equal(drop(values, dropped, seed, wanted), expected)


def test_what_is_not_a_number_stays_so(code: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "library", lambda source: code)
    values = torch.full((300,), torch.nan)
    assert int(drop(values, LEVELS // 2, 3, torch.bfloat16).isnan().sum()) == int(
        kept(300, LEVELS // 2, 3).sum()
    )


def test_shares_and_neighbours_are_as_of_independent_draws() -> None:
    if not can_drop(torch.ones(1), torch.float32):
        pytest.skip("there is no compiled code here")
    count = 4_000_000
    out = (drop(torch.ones(count), LEVELS // 4, 5, torch.float32) != 0).double() - 0.75
    deviation = (0.75 * 0.25 / count) ** 0.5
    assert abs(float(out.mean())) < 5 * deviation
    for apart in (1, 2, 3, 4, 8, 1150, 1152):
        correlation = float((out[apart:] * out[:-apart]).mean()) / (0.75 * 0.25)
        assert abs(correlation) < 5 / (count - apart) ** 0.5, apart


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("by", ["PyTorch's threads", "new threads"])
def test_it_is_the_same_on_however_many_threads(
    by: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = torch.randn(4 * 7 * 257 + 3)
    if not can_drop(values, torch.float32):
        pytest.skip("there is no compiled code here")
    if by == "new threads":
        monkeypatch.setattr(team, "pytorchs_team", lambda: None)
    before, alone = torch.get_num_threads(), drop(values, 9_999, 3, torch.float32)
    torch.set_num_threads(threads)
    try:
        assert torch.equal(drop(values, 9_999, 3, torch.float32), alone)
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="OpenMP's files are found on Linux only")
def test_pytorchs_threads_are_found_beside_another_openmp() -> None:
    """scikit-learn brings one of its own."""
    import sklearn.cluster  # noqa: F401

    team._parallel.cache_clear()
    assert team.pytorchs_team() is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_threads_that_it_does_not_have() -> None:
    values = torch.ones(100_000)
    if not can_drop(values, torch.float32):
        pytest.skip("there is no compiled code here")
    drop(values, LEVELS // 2, 3, torch.float32)  # now OpenMP has threads
    child = os.fork()
    if child == 0:  # pragma: no cover
        status = 1
        try:
            drop(values, LEVELS // 2, 3, torch.float32)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_only_where_it_can() -> None:
    """fp16 is as long as bf16 and would be written as fp32, past its end."""
    one = torch.ones(1)
    assert not can_drop(one.double(), torch.float32)
    assert not can_drop(one.to("meta"), torch.float32)
    assert not can_drop(one, torch.float16) and not can_drop(one.half(), torch.float32)
    for given, wanted in [(one, torch.float16), (one.half(), torch.float32)]:
        with pytest.raises(AssertionError):
            drop(given, 1, 1, wanted)


def test_autocast_in_another_type_drops_by_torch() -> None:
    dropped = weight_dropout(torch.ones(400, 400), 0.5, True, torch.float16)
    assert dropped.dtype == torch.float16 and dropped.unique().tolist() == [0, 2]
