"""Compiled code as other machines would have it."""

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ulmfit import compiled

Compile = Callable[[Path, Sequence[str]], ctypes.CDLL]

#: Vectors and instructions that a CPU may have; the last two run on any.
MACHINES = {
    "this machine's": ("-march=native",),
    "AVX alone": ("-march=sandybridge",),
    "16 lanes, plain C": ("-march=x86-64", "-DLANES=16"),
    "8 lanes, plain C": ("-march=x86-64", "-DLANES=8"),
}
#: What a CPU must have to run what is compiled with these.
UNITS = {"-march=sandybridge": "avx", "-mavx2": "avx2", "-mavxvnni": "avx_vnni"}


@pytest.fixture(scope="module", params=MACHINES.values(), ids=MACHINES.keys())
def flags(request: pytest.FixtureRequest) -> Sequence[str]:
    """The compiler's, of each machine."""
    return tuple(request.param)


@pytest.fixture(scope="session")
def compile_with(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """A file compiled without a warning; skips where that cannot be, or cannot run."""

    def compile_it(source: Path, flags: Sequence[str]) -> ctypes.CDLL:
        try:
            compiler = compiled.compiler()
        except compiled.Unavailable as error:
            pytest.skip(str(error))
        for unit in (UNITS[flag] for flag in flags if flag in UNITS):
            if unit not in Path("/proc/cpuinfo").read_text().split():
                pytest.skip(f"this CPU has no {unit}")
        path = tmp_path_factory.mktemp("code") / f"{source.stem}.so"
        strict = ("-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-shared", "-fPIC")
        command = [*compiler, *compiled.FLAGS, *flags, *strict, "-o", path, source]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return ctypes.CDLL(str(path))

    return compile_it


@pytest.fixture(scope="module")
def opened(flags: Sequence[str], compile_with: Compile) -> Callable[[Path, Callable[[], Any]], Any]:
    """What a class of ours makes of a file's code, compiled as for one of the machines."""

    def open_it(source: Path, make: Callable[[], Any]) -> Any:
        code = compile_with(source, flags)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "library", lambda source: code)
            return make()

    return open_it
