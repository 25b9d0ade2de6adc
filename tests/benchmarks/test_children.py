"""What a child process holds is not what its parent held when it was started."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.sides.children import Watched

ALLOCATES = "import time; held = bytearray(b'x' * 60_000_000); time.sleep(0.5)"


@pytest.mark.skipif(not list(Path("/proc/self/task").glob("*/children")), reason="/proc is Linux's")
def test_a_child_is_measured_by_itself() -> None:
    held = np.ones(40_000_000)  # 320 MB
    with Watched() as watched:
        subprocess.run([sys.executable, "-c", ALLOCATES], check=True)
    assert len(held) and 60 < watched.megabytes < 200
