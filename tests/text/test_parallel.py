"""Worker processes: results in order, errors told, nobody left behind, whatever ends the parent."""

import os
import select
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from ulmfit import compiled
from ulmfit.errors import InputError
from ulmfit.text import parallel, worker
from ulmfit.text.parallel import CHUNK_CHARACTERS, map_chunks

posix = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
LONG = "x" * CHUNK_CHARACTERS
IMPORTING = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # what the tests import

# No `if __name__ == "__main__"`: what starts workers is a script like any other.
SCRIPT = """
import os, sys
from itertools import repeat
from ulmfit.text.parallel import CHUNK_CHARACTERS, map_chunks
from tests.text.test_parallel import process
try:
    print("ready", flush=True)
    for result in map_chunks(process, None, repeat("x" * CHUNK_CHARACTERS), workers=2):
        print(result, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def process(_: None, chunk: list[str]) -> int:
    """Which process it is."""
    return os.getpid()


def length(least: int, chunk: list[str]) -> int:
    print("what a worker prints is no answer")
    if len(chunk[0]) < least:
        raise InputError(f"a text of {len(chunk[0])}")
    return len(chunk[0])


def complains(_: None, chunk: list[str]) -> None:
    print("a word", file=sys.stderr, flush=True)


def ends(_: None, chunk: list[str]) -> None:
    os._exit(3)


def is_killed_while_it_answers(_: None, chunk: list[str]) -> None:
    """As the answer's first bytes have gone."""
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # it is gone already, or the one that is read from
            if int(number) > 2 and os.readlink(f"/proc/self/fd/{number}").startswith("pipe:"):
                os.write(int(number), worker.message((True, "x" * 1000))[:500])
    os.kill(os.getpid(), signal.SIGKILL)


class Panic(BaseException):
    """As Rust's: no Exception, and its arguments do not make another."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def panics(_: None, chunk: list[str]) -> None:
    raise Panic("all is", "lost")


def settings(_: None, chunk: list[str]) -> str:
    return os.environ[compiled.COMPILER]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within seconds."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_results_come_in_order_and_from_others() -> None:
    texts = [LONG + "y" * i for i in range(9)]
    assert list(map_chunks(length, 0, texts, workers=3)) == [len(text) for text in texts]
    pids = set(map_chunks(process, None, texts, workers=2))
    assert 1 <= len(pids) <= 2 and os.getpid() not in pids
    assert all(map(is_gone, pids))


def test_no_more_processes_than_chunks() -> None:
    assert set(map_chunks(process, None, [LONG], workers=2)) == {os.getpid()}
    assert len(set(map_chunks(process, None, [LONG, LONG], workers=64))) <= 2


def test_where_python_is_part_of_another_program_it_works_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    assert set(map_chunks(process, None, [LONG, LONG], workers=2)) == {os.getpid()}


@pytest.mark.parametrize(("workers", "part", "most"), [(1, 4, 8), (2, 1, 5)])
def test_texts_are_read_only_a_little_ahead(workers: int, part: int, most: int) -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield "x" * (CHUNK_CHARACTERS // part)

    results = map_chunks(process, None, texts(), workers=workers)
    pid = next(results)
    assert read <= most
    results.close()
    assert workers == 1 or is_gone(pid)


def test_an_error_is_the_parents_and_says_where_it_was() -> None:
    with pytest.raises(InputError, match="a text of 1048576") as raised:
        list(map_chunks(length, CHUNK_CHARACTERS + 1, [LONG] * 5, workers=2))
    assert "in length" in "".join(raised.value.__notes__)


def test_a_source_that_fails_leaves_no_worker() -> None:
    def texts() -> Iterator[str]:
        yield from [LONG] * 6
        raise OSError("the disk is gone")

    pids = []
    with pytest.raises(OSError, match="the disk is gone"):
        for pid in map_chunks(process, None, texts(), workers=2):
            pids.append(pid)
    assert pids and all(map(is_gone, pids))


def test_a_worker_that_ends_is_told() -> None:
    with pytest.raises(ChildProcessError, match=r"before its time \(status 3\)"):
        list(map_chunks(ends, None, [LONG] * 5, workers=2))


def test_a_worker_need_not_ask_the_compiler() -> None:
    try:
        compiled.compiler()
    except compiled.Unavailable as error:
        pytest.skip(str(error))
    told = set(map_chunks(settings, None, [LONG] * 3, workers=2))
    assert told == {compiled.environment()[compiled.COMPILER]}


def test_what_is_no_exception_and_does_not_pickle_is_told() -> None:
    with pytest.raises(ChildProcessError, match="all is lost"):
        list(map_chunks(panics, None, [LONG] * 3, workers=2))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="/proc is Linux's")
def test_a_worker_that_is_killed_while_it_answers_is_told() -> None:
    with pytest.raises(ChildProcessError, match=r"\(signal 9; was there too little memory\?\)"):
        list(map_chunks(is_killed_while_it_answers, None, [LONG] * 3, workers=2))


def test_a_request_that_is_cut_is_the_end(tmp_path: Path) -> None:
    """Its parent was killed in the middle of it: nothing to complain of."""
    whole = worker.message((process, None)) + worker.message([LONG])
    for cut in (0, 3, 20, len(whole) - 1):
        done = subprocess.run(
            [sys.executable, "-c", "from ulmfit.text.worker import main; main(b'')"],
            input=whole[:cut],
            capture_output=True,
            env=IMPORTING,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("place", ["", Path("."), "a:b"])
def test_a_module_of_the_folder_is_not_taken_for_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: object
) -> None:
    """As in a notebook, whose folder is a place to import from."""
    for name in ("pickle", "random", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place, *sys.path])
    assert len(list(map_chunks(process, None, [LONG] * 3, workers=2))) == 3


def run(script: str, *options: str, **how: Any) -> "subprocess.CompletedProcess[str]":
    """Another Python, with texts enough for two workers."""
    ready = "import os, sys\nfrom itertools import repeat\n"
    texts = 'TEXTS = ["x" * (1 << 20)] * 4\n'
    command = [sys.executable, *options, "-c", ready + texts + textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **how)


MAPPED = """
from ulmfit.text.parallel import map_chunks
from tests.text.test_parallel import process
print(len(list(map_chunks(process, None, TEXTS, workers=2))))
"""


def test_what_a_start_up_script_prints_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello ' * 9, flush=True)")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), IMPORTING["PYTHONPATH"]])}
    done = run(MAPPED, env=os.environ | env)
    assert (done.stdout.split()[-1], done.stderr) == ("4", "")


def test_what_the_parent_does_not_heed_a_worker_does_not(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong one')")
    script = f"sys.path += {sys.path!r}\n" + MAPPED
    done = run(script, "-I", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (done.stdout, done.stderr) == ("4\n", "")


def test_a_worker_imports_from_where_its_parent_does() -> None:
    """Also what the package needs: here nothing is installed but by the script itself."""
    script = f"sys.path[:0] = {sys.path!r}\n" + MAPPED
    done = run(script, "-S", "-E", env=os.environ)
    assert (done.stdout, done.stderr) == ("4\n", "")


@posix
def test_where_the_folder_is_gone_it_works_too(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = "os.rmdir(os.getcwd())\n" + MAPPED
    done = run(script, cwd=tmp_path / "gone", env=IMPORTING)
    assert (done.stdout, done.stderr) == ("4\n", "")


@posix
def test_a_fork_that_drops_the_results_ends_no_worker_of_its_parent() -> None:
    script = """
    from ulmfit.text.parallel import map_chunks
    from tests.text.test_parallel import process
    results = map_chunks(process, None, repeat(TEXTS[0]), workers=2)
    first = next(results)
    if not (child := os.fork()):
        results.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print({next(results) for _ in range(8)} >= {first})
    """
    done = run(script, env=IMPORTING)
    assert done.stdout == "True\n", done.stderr


@posix
def test_a_complaint_does_not_stop_a_worker_for_ever(tmp_path: Path) -> None:
    """`stty tostop`: who writes to the terminal and is not in front is stopped."""
    import pty

    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\nos.system('stty tostop')\n"
        "from ulmfit.text.parallel import map_chunks\n"
        "from tests.text.test_parallel import complains\n"
        "print(len(list(map_chunks(complains, None, ['x' * (1 << 20)] * 4, workers=2))))\n"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.execve(sys.executable, [sys.executable, str(script)], IMPORTING)
    said, until = b"", time.monotonic() + 60
    with suppress(OSError):  # its end
        while time.monotonic() < until and b"4\r\n" not in said:
            ready, _, _ = select.select([terminal], [], [], 1)
            said += os.read(terminal, 1000) if ready else b""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"a word\r\n" in said and b"4\r\n" in said


@posix
def test_without_a_stderr_it_works_too(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.replace('repeat("x" * CHUNK_CHARACTERS)', '["x" * CHUNK_CHARACTERS] * 3')
    )
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} 2>&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=IMPORTING)
    assert done.returncode == 0 and len(done.stdout.split()) == 4


def begun(tmp_path: Path) -> "subprocess.Popen[str]":
    """The script in a session of its own, its workers about to start."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    running = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=IMPORTING,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    return running


@posix
@pytest.mark.parametrize("after", [0.0, 0.02, 0.15, 0.5])
def test_an_interrupt_is_the_parents_alone(tmp_path: Path, after: float) -> None:
    """Before the workers start, while they import, at work: no word of theirs, and none is left."""
    running = begun(tmp_path)
    time.sleep(after)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    *pids, last = out.split()
    assert (last, err) == ("interrupted", "")
    assert all(is_gone(int(pid)) for pid in pids)


@posix
@pytest.mark.parametrize("after", [0.0, 0.002, 0.02])
def test_a_second_interrupt_leaves_no_worker_behind(tmp_path: Path, after: float) -> None:
    running = begun(tmp_path)
    time.sleep(0.5)
    for _ in range(2):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(after)
    out, _ = running.communicate(timeout=60)
    assert all(is_gone(int(pid)) for pid in out.replace("interrupted", "").split())


@posix
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    running = begun(tmp_path)
    assert running.stdout is not None
    pids = {int(running.stdout.readline()) for _ in range(4)}
    running.kill()
    running.communicate(timeout=60)
    assert all(map(is_gone, pids))


def test_chunks_are_of_bounded_size() -> None:
    sizes = [len(chunk) for chunk in parallel.chunks(repeat("", 2 * parallel.CHUNK_TEXTS + 1))]
    assert sizes == [parallel.CHUNK_TEXTS, parallel.CHUNK_TEXTS, 1]
    assert [len(c) for c in parallel.chunks(["a", LONG, "b", LONG, LONG])] == [2, 2, 1]
