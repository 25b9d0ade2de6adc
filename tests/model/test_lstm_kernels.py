"""The gates' GPU kernels against their definition; without a GPU, in Triton's interpreter."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from ulmfit.model.lstm_cell import PLAIN

SIZES = [(1, 8), (3, 40), (64, 1152)]  # batch, hidden: less than a block, a part of one, many


def check(device: str, dtype: torch.dtype, sizes: list[tuple[int, int]]) -> None:
    """Both kernels on fresh numbers, into tensors full of NaN."""
    from ulmfit.model.lstm_kernels import KERNELS

    within = 1e-5 if dtype == torch.float32 else 0.02
    for batch, hidden in sizes:
        torch.manual_seed(hidden)
        gates = torch.randn(batch, 4 * hidden, device=device).to(dtype)
        c = torch.randn(batch, hidden, device=device)
        d_y, d_h = (torch.randn(batch, hidden, device=device).to(dtype) for _ in range(2))
        d_c = torch.randn(batch, hidden, device=device)
        made = []
        for cell in (KERNELS, PLAIN):
            own, own_d_c = gates.clone(), d_c.clone()
            c_next, h_next = torch.full_like(c, torch.nan), torch.full_like(d_y, torch.nan)
            d_gates = torch.full_like(gates, torch.nan)
            cell.forward(own, c, c_next, h_next)
            cell.gradient(own, c, c_next, d_y, d_h, own_d_c, d_gates)
            made.append([own, c_next, h_next, d_gates, own_d_c])
        for got, wanted in zip(*made, strict=True):
            torch.testing.assert_close(got, wanted, atol=within, rtol=within)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_on_a_gpu(dtype: torch.dtype) -> None:
    check("cuda", dtype, SIZES)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
def test_interpreted_on_a_cpu() -> None:
    code = (
        "import torch, test_lstm_kernels as t\n"
        "for dtype in (torch.float32, torch.bfloat16):\n"
        "    t.check('cpu', dtype, t.SIZES[:2])\n"
    )
    paths = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": paths}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
