"""Code is compiled once, kept, and never needed: without a compiler there is a reason instead."""

import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ulmfit import compiled
from ulmfit.compiled import Unavailable
from ulmfit.model.native import code
from ulmfit.model.native.code import library


@pytest.fixture(autouse=True)
def forgetful(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Code that is compiled in no time; nothing known of other tests'."""
    small = tmp_path_factory.mktemp("source") / "small.c"
    small.write_text("int lanes(void) { return 4; }\n")
    monkeypatch.setattr(code, "SOURCE", small)
    monkeypatch.setenv(compiled.SESSION, "")
    compiled._found.cache_clear()
    yield
    compiled._found.cache_clear()


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


def as_a_new_process() -> None:
    compiled._found.cache_clear()
    assert library().lanes() > 0


def only_file(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_a_compiler_that_fails_is_asked_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at every step of a training."""
    log = tmp_path / "calls"
    broken = f'echo "$*" >> {log}\ncase "$*" in *-dM*) exit 0;; esac\necho no stdint.h >&2; exit 1'
    monkeypatch.setenv("CC", script(tmp_path / "cc", broken))
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"no stdint\.h"):
            library()
    assert compilations(log) == 1


def test_it_is_compiled_once_and_kept(counting: Path, cache: Path) -> None:
    first = library()
    compiled._found.cache_clear()
    second = library()
    assert first.lanes() == second.lanes() > 0
    assert compilations(counting) == 1
    assert len(list(cache.iterdir())) == 1, "nothing is left beside it"
    for path in (cache, only_file(cache)):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, "only the user writes there"


@pytest.mark.parametrize("flag", ["-DOTHER_CPU", "-fwrapv"])
@pytest.mark.parametrize("place", ["flags", "command"])
def test_another_cpu_or_other_flags_are_compiled_anew(
    flag: str, place: str, counting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every flag changes the compiler's macros."""
    as_a_new_process()
    if place == "flags":
        monkeypatch.setattr(compiled, "FLAGS", (*compiled.FLAGS, flag))
    else:
        monkeypatch.setenv("CC", f"{os.environ['CC']} {flag}")
    as_a_new_process()
    assert compilations(counting) == 2
    assert len(list(cache.iterdir())) == 2


POSIX = pytest.mark.skipif(os.name != "posix", reason="other systems have other rights")


def by_all(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)


def by_the_group(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o770)


def a_link(cache: Path) -> None:
    (cache.parent / "elsewhere").mkdir()
    cache.symlink_to(cache.parent / "elsewhere")


@POSIX
@pytest.mark.parametrize("begin", [by_all, by_the_group, a_link])
def test_nothing_is_run_from_a_folder_that_others_may_write(
    begin: Callable[[Path], None], counting: Path, cache: Path
) -> None:
    begin(cache)
    as_a_new_process()
    assert not list(cache.iterdir())


@POSIX
def test_nothing_is_run_from_a_folder_of_another_user(
    counting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: cache.stat().st_uid + 1)
    as_a_new_process()
    assert not list(cache.iterdir())


@POSIX
def test_a_file_that_others_may_write_is_not_run(counting: Path, cache: Path) -> None:
    as_a_new_process()
    only_file(cache).chmod(0o722)
    as_a_new_process()
    assert compilations(counting) == 2
    assert stat.S_IMODE(only_file(cache).stat().st_mode) == 0o700


@pytest.mark.parametrize("kept", [0, 3000, 10_000])
def test_a_file_that_was_cut_short_is_replaced(kept: int, counting: Path, cache: Path) -> None:
    """The system's loader would end the process, with a bus error."""
    as_a_new_process()
    path = only_file(cache)
    data = path.read_bytes()
    path.unlink()  # it is in use here; a new file takes its name
    path.write_bytes(data[:kept])
    as_a_new_process()
    assert compilations(counting) == 2
    assert only_file(cache).read_bytes() == data


def test_a_file_that_cannot_be_opened_is_replaced(counting: Path, cache: Path) -> None:
    as_a_new_process()
    good = only_file(cache)
    name, _, _ = good.stem.rpartition("-")
    bad = good.rename(cache / f"{name}-{compiled._digest(b'of another system')}.so")
    bad.unlink()
    bad.write_bytes(b"of another system")
    bad.chmod(0o700)
    as_a_new_process()
    assert compilations(counting) == 2
    assert only_file(cache) == good


def test_what_killed_compilers_left_is_cleared_away(counting: Path, cache: Path) -> None:
    """Not what another may be writing now."""
    cache.mkdir(mode=0o700)
    old, new = cache / "ulmfit-lstm-0.x.part", cache / "ulmfit-lstm-0.y.part"
    for part in (old, new):
        part.touch()
    os.utime(old, (0, 0))
    as_a_new_process()
    assert not old.exists() and new.exists()


def test_it_is_on_the_disk_before_it_has_its_name(
    counting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append("fsync") or fsync(handle))
    monkeypatch.setattr(os, "replace", lambda a, b: calls.append("replace") or replace(a, b))
    as_a_new_process()
    assert calls == ["fsync", "replace"]


def test_threads_wait_for_the_one_that_compiles(counting: Path, cache: Path) -> None:
    start, found = threading.Barrier(4), []

    def ask() -> None:
        start.wait()
        found.append(library().lanes())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1
    assert compilations(counting) == 1


def test_processes_with_one_number_do_not_share_a_file(counting: Path, cache: Path) -> None:
    """Two containers that are both process 1 may share a volume."""
    cache.mkdir()
    for _ in range(2):
        compiled._compile(compiled.compiler(), code.SOURCE, cache, "small")
    calls = [line.split() for line in counting.read_text().splitlines()]
    written = {call[call.index("-o") + 1] for call in calls}
    assert len(written) == 2
    assert len(list(cache.iterdir())) == 1


PROGRAM = """
import subprocess, sys
from ulmfit.model.native.code import library
assert library().lanes() > 0
if len(sys.argv) == 1:
    subprocess.run([sys.executable, __file__, "as a worker"], check=True)
    assert library().lanes() > 0
"""


def test_a_session_s_folder_serves_its_workers_and_is_removed(
    counting: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "tmp").mkdir()
    places = {"XDG_CACHE_HOME": str(tmp_path / "taken"), "TMPDIR": str(tmp_path / "tmp")}
    subprocess.run([sys.executable, tmp_path / "program.py"], check=True, env=os.environ | places)
    assert compilations(counting) == 1
    assert not list((tmp_path / "tmp").iterdir())


@POSIX
def test_a_session_s_folder_is_inherited_only_if_it_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine, others = tmp_path / "mine", tmp_path / "others"
    for folder, mode in ((mine, 0o700), (others, 0o777)):
        folder.mkdir()
        folder.chmod(mode)
    monkeypatch.setenv(compiled.SESSION, str(mine))
    assert compiled._session_cache() == mine
    for folder in (others, tmp_path / "gone"):
        monkeypatch.setenv(compiled.SESSION, str(folder))
        made = compiled._session_cache()
        assert made != folder and made.stat().st_mode & 0o077 == 0
        assert compiled._session_cache() == made, "the next call finds it"


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_user_without_a_home_has_a_session_s_folder(
    counting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    as_a_new_process()


@pytest.mark.skipif(not hasattr(os, "ST_NOEXEC"), reason="a flag of Linux")
def test_a_folder_from_which_nothing_may_run_is_passed_over(
    counting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mounted:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr(os, "statvfs", lambda folder: Mounted)
    as_a_new_process()
    as_a_new_process()
    assert compilations(counting) == 1, "the session's folder serves"
    assert not list(cache.iterdir())


def test_no_folder_at_all_is_a_reason(counting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(prefix: str) -> str:
        raise OSError("No usable temporary directory found")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(Unavailable, match="No usable temporary directory"):
        library()


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
        ("cc 'open", "CC is no command: No closing quotation"),
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
