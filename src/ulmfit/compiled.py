"""C for this machine's CPU: compiled once, kept in the user's cache, opened with ctypes.

Never needed: what is written in C here has its like in Python.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

#: -ffp-contract: a product and a sum in one instruction. The rest lets loops become vectors; none
#: of it reorders a sum.
FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")
SECONDS = 120  # compiling takes one or two
STALE = 3600  # seconds after which no compiler is at work on a file any more
#: The environment variable that names the folder of a session to the processes it starts.
SESSION = "ULMFIT_SESSION_CACHE"
#: The one that tells them what the compiler has told of itself and of the CPU.
COMPILER = "ULMFIT_COMPILER"
_one_at_a_time = threading.Lock()


class Unavailable(Exception):
    """There is no compiled code for this machine; says why."""


def library(source: Path) -> ctypes.CDLL:
    """The compiled code of a file, from the cache if it was compiled before; the first call tells.

    The compiler is `cc`, or what the environment variable CC names ("" for none).

    Args:
        source: a file of C; it includes no other than those of its folder.

    Raises:
        Unavailable: there is no compiler, or it failed.
    """
    with _one_at_a_time:
        found = _found(source)
    if isinstance(found, str):
        raise Unavailable(found)
    return found


@cache
def _found(source: Path) -> ctypes.CDLL | str:
    """The code, or why there is none: a compiler that failed is not asked at every step."""
    try:
        return _library(source)
    except Unavailable as error:
        return str(error)
    except OSError as error:
        return f"compiled code cannot be kept or opened: {error}"


def _library(source: Path) -> ctypes.CDLL:
    """A kept file that cannot be opened is thrown away, and compiled once more."""
    command = compiler()
    folder, name = _cache(), f"ulmfit-{source.stem}-{_fingerprint(command, source.parent)}"
    for path in sorted(folder.glob(f"{name}-*.so")):
        if (code := _opened(path)) is not None:
            return code
        path.unlink(missing_ok=True)
    return ctypes.CDLL(str(_compile(command, source, folder, name)))


def _opened(path: Path) -> ctypes.CDLL | None:
    """A kept file's code. Opening one that is cut short would end the process: its name tells."""
    try:
        if _is_private(path) and path.stem.endswith(f"-{_digest(path.read_bytes())}"):
            return ctypes.CDLL(str(path))
    except OSError:  # gone meanwhile, or it needs a newer C library than there is here
        pass
    return None


def compiler() -> list[str]:
    """The compiler's command.

    Raises:
        Unavailable: there is none.
    """
    try:
        command = shlex.split(os.environ.get("CC", "cc"))
    except ValueError as error:
        raise Unavailable(f"CC is no command: {error}") from None
    if not command or shutil.which(command[0]) is None:
        raise Unavailable(f"there is no C compiler ({' '.join(command) or 'CC is empty'})")
    return command


def _run(*command: str) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", b"") or b""
        raise Unavailable(f"{error} {told.decode(errors='replace')[:300]}".strip()) from None
    return done.stdout


def _fingerprint(command: list[str], folder: Path) -> str:
    """Of the code, the compiler and the CPU: the macros tell its version and the instructions."""
    told = os.environ.get(COMPILER) or _told(command)
    return _digest(told.encode(), *(path.read_bytes() for path in sorted(folder.glob("*.[ch]"))))


def environment() -> dict[str, str]:
    """For a process that this one starts: what it then need not ask the compiler."""
    try:
        return {COMPILER: _told(compiler())}
    except Unavailable:
        return {}


def _told(command: list[str]) -> str:
    return _digest("\0".join([*command, *FLAGS]).encode(), _macros(*command, *FLAGS))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@cache
def _macros(*command: str) -> bytes:
    return _run(*command, "-dM", "-E", "-x", "c", os.devnull)


def _cache() -> Path:
    """A folder that only this user writes: what lies there is run."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "ulmfit"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _is_private(folder) and os.access(folder, os.W_OK) and not _is_noexec(folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        pass
    return _session_cache()


def _is_private(path: Path) -> bool:
    """Whether nobody else can have written it; a link may lead anywhere."""
    if os.name != "posix":
        return True
    found = path.lstat()
    shut = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return found.st_uid == os.geteuid() and shut and not stat.S_ISLNK(found.st_mode)


def _is_noexec(folder: Path) -> bool:
    """Whether it is mounted so that nothing in it may be run."""
    return bool(os.name == "posix" and os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0))


def _session_cache() -> Path:
    """A folder of this process and of those it starts; removed when this process ends."""
    inherited = Path(os.environ.get(SESSION) or os.devnull)
    if inherited.is_dir() and _is_private(inherited):
        return inherited
    folder = Path(tempfile.mkdtemp(prefix="ulmfit-"))
    atexit.register(_remove, folder, os.getpid())
    os.environ[SESSION] = str(folder)
    return folder


def _remove(folder: Path, maker: int) -> None:
    """A copy of the process that made it (a fork) leaves it alone."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


def _compile(command: list[str], source: Path, folder: Path, name: str) -> Path:
    """Aside first, under a name of its own: another process may be doing the same."""
    handle, aside = tempfile.mkstemp(".part", f"{name}.", folder)
    os.close(handle)
    part = Path(aside)
    try:
        _run(*command, *FLAGS, "-shared", "-fPIC", "-o", aside, str(source))
        part.chmod(0o700)  # a linker makes it anew, open to whom the umask lets
        with open(part, "r+b") as file:
            path = folder / f"{name}-{_digest(file.read())}.so"
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
        _clear(folder)
    return path


def _clear(folder: Path) -> None:
    """Remove what compilers left that were killed."""
    for part in folder.glob("ulmfit-*.part"):
        with suppress(OSError):  # another process does the same
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
