"""A process that is killed, at any moment and as often as you like, and started again, ends in
the same bytes as one that was not."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

import ulmfit

ROAD = Path(__file__).with_name("road.py")
SOURCE = Path(ulmfit.__file__).parents[1]


class Server:
    """`road.py`, which runs the whole road in a new process on request."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROAD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
        )

    def run(self, folder: Path, kill_after: float = inf) -> int:
        """Seconds until the kill -> exit code, -9 of a killed process."""
        assert self.process.stdin and self.process.stdout
        print(kill_after, folder, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    own = Server()
    yield own
    own.process.communicate()


def outcome(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("language-model", "model")
        for path in sorted((folder / name).iterdir())
    }


@pytest.fixture(scope="module")
def undisturbed(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    """What one run without a kill leaves, and how many seconds it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    assert server.run(folder) == 0
    return outcome(folder), time.monotonic() - started


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_run_ends_in_the_same_bytes(
    kills: int, server: Server, undisturbed: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    wanted, seconds = undisturbed
    draw = random.Random(kills)
    killed = roads = 0
    while killed < kills:  # a road that ends before it was killed often enough is taken again
        roads += 1
        folder = tmp_path / str(roads)
        folder.mkdir()
        while True:
            moment = draw.uniform(0, 0.4 * seconds) if killed < kills else inf
            status = server.run(folder, moment)
            killed += status == -signal.SIGKILL
            if status == 0:
                break
            assert status == -signal.SIGKILL
        assert outcome(folder) == wanted
        left = [p.name for p in folder.rglob("*") if p.name.endswith((".part", ".old"))]
        assert not left, "what a killed process was writing is cleared away"
