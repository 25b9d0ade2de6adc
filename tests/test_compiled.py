"""Code is compiled once, kept, and never needed: without a compiler there is a reason instead."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ulmfit import compiled
from ulmfit.compiled import Unavailable
from ulmfit.model.native.code import library


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    compiled.library.cache_clear()
    yield
    compiled.library.cache_clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ulmfit"


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that notes each call and passes it on."""
    try:
        real = " ".join(compiled.compiler())
    except Unavailable as error:
        pytest.skip(str(error))
    log = tmp_path / "calls"
    monkeypatch.setenv("CC", script(tmp_path / "cc", f'echo "$*" >> {log}\n{real} "$@" -O0'))
    return log


def compilations(log: Path) -> int:
    return sum("-shared" in line for line in log.read_text().splitlines())


def test_it_is_compiled_once_and_kept(counting: Path, cache: Path) -> None:
    first = library()
    compiled.library.cache_clear()  # as a new process
    second = library()
    assert first.lanes() == second.lanes() > 0
    assert compilations(counting) == 1
    assert len(list(cache.iterdir())) == 1, "nothing is left beside it"
    assert stat.S_IMODE(cache.stat().st_mode) & 0o077 == 0, "only the user writes there"


def test_other_code_or_another_cpu_is_compiled_anew(
    counting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    monkeypatch.setattr(compiled, "FLAGS", (*compiled.FLAGS, "-DOTHER_CPU"))
    compiled.library.cache_clear()
    library()
    assert compilations(counting) == 2
    assert len(list(cache.iterdir())) == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_not_needed(
    counting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    monkeypatch.setenv("XDG_CACHE_HOME", str(closed))
    assert library().lanes() > 0


def test_a_file_in_the_caches_place_is_not_needed_either(
    counting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(taken))
    assert library().lanes() > 0


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "no C compiler"),
        ("no-such-compiler-at-all", "no C compiler .no-such-compiler-at-all"),
    ],
)
def test_no_compiler_is_a_reason(
    command: str, reason: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", command)
    with pytest.raises(Unavailable, match=reason):
        library()


def test_a_compiler_that_fails_is_a_reason(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", script(tmp_path / "cc", "echo out of luck >&2; exit 1"))
    with pytest.raises(Unavailable, match="out of luck"):
        library()


def test_what_a_compiler_wrote_and_cannot_be_opened_is_a_reason(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = 'while [ $# -gt 0 ]; do [ "$1" = -o ] && echo junk > "$2"; shift; done'
    monkeypatch.setenv("CC", script(tmp_path / "cc", broken))
    with pytest.raises(Unavailable, match="opened"):
        library()
