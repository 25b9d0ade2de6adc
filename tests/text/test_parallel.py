"""Ctrl-C reaches every process of the terminal; the workers must leave it to their parent."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ulmfit.text.parallel import _born_deaf

SCRIPT = """
from itertools import repeat
from ulmfit.text.parallel import CHUNK_CHARACTERS, map_chunks

if __name__ == "__main__":
    print("ready", flush=True)
    try:
        for _ in map_chunks(max, [""], repeat("x" * CHUNK_CHARACTERS), workers=2):
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def begun() -> "subprocess.Popen[str]":
    """The script in a session of its own, its pool about to start."""
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    return running


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")
def test_workers_that_are_still_starting_say_nothing_when_interrupted() -> None:
    running = begun()
    time.sleep(0.15)  # the workers are importing
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (out, err) == ("interrupted\n", "")


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signal masks are POSIX's")
def test_an_interrupt_while_workers_are_started_waits_for_them() -> None:
    """Blocked in this thread, it is given to another, and Python raises it here all the same."""
    done, open_to_signals = [], threading.Event()
    other = threading.Thread(target=open_to_signals.wait)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt), _born_deaf():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            done.append("started")
    finally:
        open_to_signals.set()
        other.join()
    assert done == ["started"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")
@pytest.mark.parametrize("after", [0.0, 0.002, 0.02])
def test_a_second_interrupt_leaves_no_worker_behind(after: float) -> None:
    running = begun()
    time.sleep(0.5)
    for _ in range(2):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(after)
    out, _ = running.communicate(timeout=60)  # it would wait for a worker forever
    assert out in ("interrupted\n", "")


def test_outside_of_the_main_thread_nothing_is_changed() -> None:
    seen = []

    def start() -> None:
        with _born_deaf():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
