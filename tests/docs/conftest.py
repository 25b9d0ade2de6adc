"""What the documentation is tried on: a reader's folder, a shell, tiny language models."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
sys.path[:0] = [str(HERE), str(DOCS / "tools")]  # modules of the tests, tools of the documentation

from reader import Shell, write_files  # noqa: E402
from shrinking import embed  # noqa: E402


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny stand-ins of the embedded language models are."""
    folder = tmp_path_factory.mktemp("embedded")
    embed(folder)
    return folder


@pytest.fixture(scope="session")
def shell(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell whose `ulmfit` works on tiny models."""
    own = Shell(tmp_path_factory.mktemp("shell"), embedded)
    own.wait()
    yield own
    own.close()


@pytest.fixture(scope="session")
def true_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell with `ulmfit` as it is."""
    own = Shell(tmp_path_factory.mktemp("true"))
    own.wait()
    yield own
    own.close()


@pytest.fixture(scope="session")
def desk(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's files, with a classifier in `model` and a language model in `lm`."""
    folder = tmp_path_factory.mktemp("desk")
    write_files(folder)
    code, told = shell.run(
        "ulmfit train reviews.csv --out model --epochs 10 --no-report\n"
        "ulmfit pretrain texts --out lm",
        folder,
    )
    assert code == 0, told[-500:]
    return folder
