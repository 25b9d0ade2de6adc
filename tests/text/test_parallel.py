"""Ctrl-C reaches every process of the terminal; the workers must leave it to their parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

SCRIPT = """
from itertools import repeat
from ulmfit.text.parallel import CHUNK_CHARACTERS, map_chunks

if __name__ == "__main__":
    print("ready", flush=True)
    try:
        for _ in map_chunks(max, None, repeat("x" * CHUNK_CHARACTERS), workers=2):
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")
def test_workers_that_are_still_starting_say_nothing_when_interrupted() -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    time.sleep(0.15)  # the workers are importing
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (out, err) == ("interrupted\n", "")
