"""C for this machine's CPU: compiled once, kept in the user's cache, opened with ctypes.

Never needed: what is written in C here has its like in Python.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

#: -ffp-contract: a product and a sum in one instruction. The rest lets loops become vectors; none
#: of it reorders a sum.
FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")
SECONDS = 120  # compiling takes one or two


class Unavailable(Exception):
    """There is no compiled code for this machine; says why."""


@cache
def library(source: Path) -> ctypes.CDLL:
    """The compiled code of a file, from the cache if it was compiled before.

    The compiler is `cc`, or what the environment variable CC names ("" for none).

    Args:
        source: a file of C; it includes no other than those of its folder.

    Raises:
        Unavailable: there is no compiler, or it failed.
    """
    command = compiler()
    path = _cache() / f"ulmfit-{source.stem}-{_fingerprint(command, source.parent)}.so"
    try:
        if not path.exists():
            _compile(command, source, path)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise Unavailable(f"compiled code cannot be kept or opened: {error}") from None


def compiler() -> list[str]:
    """The compiler's command.

    Raises:
        Unavailable: there is none.
    """
    command = shlex.split(os.environ.get("CC", "cc"))
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
    parts = [
        _macros(*command, *FLAGS),
        *(path.read_bytes() for path in sorted(folder.glob("*.[ch]"))),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@cache
def _macros(*command: str) -> bytes:
    return _run(*command, "-dM", "-E", "-x", "c", os.devnull)


def _cache() -> Path:
    """A folder that only this user writes: what lies there is run."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "ulmfit"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return _session_cache()


@cache
def _session_cache() -> Path:
    return Path(tempfile.mkdtemp(prefix="ulmfit-"))


def _compile(command: list[str], source: Path, path: Path) -> None:
    """Aside first: another process may be doing the same."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        _run(*command, *FLAGS, "-shared", "-fPIC", "-o", str(part), str(source))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
