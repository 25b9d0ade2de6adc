"""What a child process holds is not what its parent held when it was started."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.sides import children

PARENT = """
import subprocess, sys
from children import Watched
held = bytearray(b"x" * 320_000_000)
with Watched() as watched:
    allocates = "import time; held = bytearray(b'x' * 60_000_000); time.sleep(0.5)"
    subprocess.run([sys.executable, "-c", allocates], check=True)
print(len(held), watched.megabytes)
"""


@pytest.mark.skipif(not list(Path("/proc/self/task").glob("*/children")), reason="/proc is Linux's")
def test_a_child_is_measured_by_itself() -> None:
    """In a process of its own: this one may have children from other tests."""
    told = subprocess.run(
        [sys.executable, "-c", PARENT],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(children.__file__).parent,
    )
    assert 60 < float(told.stdout.split()[1]) < 200
