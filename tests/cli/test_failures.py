"""Nobody's wrong call: full disks, interrupts, closed pipes, defects. Exit 1, no traceback."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ulmfit
from ulmfit.data.download import DownloadError

ULMFIT = [sys.executable, "-m", "ulmfit"]
SECONDS = 120  # far more than needed: the machine may be busy


def words(*arguments: object) -> list[str]:
    return [*ULMFIT, *map(str, arguments)]


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file may grow beyond `limit` bytes: writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_while_training(call, tiny, tmp_path, small_lm):
    out = tmp_path / "lm"
    with small_files(20_000):
        ended = call("pretrain", tiny / "text.txt", "--out", out, *small_lm)
    assert ended.code == 1, ended
    assert "File too large" in ended.err and str(out) in ended.err
    assert f"ulmfit resume {out}.run" in ended.err
    assert "Traceback" not in ended.err
    assert not out.exists() and not list(tmp_path.rglob("*.part"))
    resumed = call("resume", f"{out}.run", "--json")  # there is room again
    assert resumed.code == 0, resumed.err
    assert resumed.json()["model"] == str(out)
    assert ulmfit.load(out).kind == "language-model"


def test_a_full_disk_while_predicting(call, tiny, classifier, tmp_path):
    out = tmp_path / "out.csv"
    with small_files(100):
        ended = call("predict", classifier, tiny / "reviews.csv", "-o", out)
    assert ended.code == 1, ended
    assert "File too large" in ended.err and str(out) in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.iterdir())


def test_an_interrupt_says_how_to_go_on(call, tiny, tmp_path, small_lm):
    out = tmp_path / "lm"
    arguments = ("pretrain", tiny / "text.txt", "--out", out, *small_lm, "--epochs", 20)
    running = subprocess.Popen(words(*arguments), stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    told = ""
    while "epoch 1: train loss" not in told:
        line = running.stderr.readline()
        assert line, told
        told += line
    running.send_signal(signal.SIGINT)
    told += running.communicate(timeout=SECONDS)[1]
    assert running.returncode == 1, told
    assert f"ulmfit resume {out}.run" in told
    assert "Traceback" not in told
    assert not out.exists()
    again = call(*arguments)
    assert again.code == 2 and "ulmfit resume" in again.err  # nothing is lost by mistake
    resumed = call("resume", f"{out}.run")
    assert resumed.code == 0, resumed.err
    assert "epoch 1: train loss" not in resumed.err  # it went on, not back
    assert ulmfit.load(out).kind == "language-model"


def test_a_reader_that_has_seen_enough():
    running = subprocess.Popen(
        words("data"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    told = running.stderr.read()
    running.stderr.close()
    assert running.wait(SECONDS) == 1
    assert told == ""


@pytest.fixture
def failing(call, tiny, classifier, monkeypatch):
    """`ulmfit evaluate` in which something raises `error`."""

    def run(error: BaseException):
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("ulmfit.pipeline.use.evaluate", fail)
        return call("evaluate", classifier, tiny / "reviews.csv", "--json")

    return run


def test_a_defect_is_one_line(failing):
    ended = failing(RuntimeError("the sky\nfell"))
    assert ended.code == 1
    assert ended.err == (
        "ulmfit: internal error: RuntimeError: the sky fell "
        "(set ULMFIT_DEBUG=1 to see the traceback)\n"
    )
    assert "internal error" in ended.json()["error"]


def test_a_traceback_on_request(failing, monkeypatch):
    monkeypatch.setenv("ULMFIT_DEBUG", "1")
    assert "Traceback" in failing(RuntimeError("the sky fell")).err


def test_an_interrupt_anywhere(failing):
    ended = failing(KeyboardInterrupt())
    assert (ended.code, ended.err) == (1, "ulmfit: interrupted\n")
    assert ended.json() == {"error": "interrupted"}


def test_no_memory(failing):
    ended = failing(MemoryError())
    assert (ended.code, ended.err) == (1, "ulmfit: not enough memory\n")


def test_a_file_that_may_not_be_read(failing):
    ended = failing(PermissionError(13, "Permission denied", "/root/x.csv"))
    assert (ended.code, ended.err) == (1, "ulmfit: /root/x.csv: Permission denied\n")


def test_a_download_that_fails(call, tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise DownloadError("https://example.org/x.tgz: no answer; try --from FILE")

    monkeypatch.setattr("ulmfit.data.fetch.fetch", fail)
    ended = call("data", "imdb", "--to", tmp_path, "--json")
    assert ended.code == 1
    assert "example.org" in ended.json()["error"]


def test_a_disk_that_fills_names_what_was_being_made(call, tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ulmfit.data.fetch.fetch", fail)
    ended = call("data", "imdb", "--to", tmp_path)
    assert ended.code == 1
    assert f"No space left on device while making {Path(tmp_path) / 'imdb'}" in ended.err
