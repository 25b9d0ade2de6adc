"""Every block of the documentation runs, in order, and prints what its page shows."""

import contextlib
import io
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from blocks import RUN, Block, blocks, pages
from outputs import differs
from parsing import parse
from reader import Shell, break_off
from shrinking import shrink

from ulmfit.errors import InputError

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [page.relative_to(DOCS).as_posix() for page in pages(DOCS)]
WRONG = 2  # exit code


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page(
    page: str,
    shell: Shell,
    desk: Path,
    embedded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shrink(embedded, monkeypatch.setattr)
    follow(page, shell, desk, tmp_path, monkeypatch, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_as_its_reader_runs_them(
    page: str, true_shell: Shell, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(page, true_shell, desk, tmp_path, monkeypatch, slow=True)


def follow(
    page: str, shell: Shell, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    """Do what the page says in a copy of `desk`."""
    folder = tmp_path / "desk"
    found = blocks((DOCS / page).read_text("utf8"))
    if not any(block.language in RUN for block in found):
        return
    shutil.copytree(desk, folder)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "page"}
    passed_over: set[str] = set()
    for block in found:
        where = f"docs/{page}:{block.line}"
        if name := block.marked("interrupted"):
            break_off(name)
        if name := block.marked("file"):
            Path(name).write_text(block.code, "utf8")
        elif block.language not in RUN or (block.marked("slow") is not None and not slow):
            continue
        elif block.marked("parsed only") is not None:
            parse(block, where)
        elif (module := block.marked("needs")) and find_spec(module) is None:
            passed_over.add(module)
        else:
            check(block, run(block, where, shell, names), where)
    if passed_over:
        pytest.skip(f"all but what needs {', '.join(sorted(passed_over))}, not installed")


def run(block: Block, where: str, shell: Shell, names: dict[str, Any]) -> str:
    """What the block prints."""
    if block.language == "python":
        return run_python(block, where, names)
    code, told = shell.run(block.code, Path.cwd())
    wanted = WRONG if block.marked("fails") is not None else 0
    assert code == wanted, f"{where}: exit code {code}\n{told[-1000:]}"
    return told


def run_python(block: Block, where: str, names: dict[str, Any]) -> str:
    """Run the block in the page's namespace; a traceback shows the page's lines."""
    page, _, line = where.rpartition(":")
    code = compile("\n" * (int(line) - 1) + block.code, page, "exec")
    printed, progress = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(progress):
        if block.marked("fails") is None:
            exec(code, names)
        else:
            with pytest.raises(InputError) as error:
                exec(code, names)
            print(f"InputError: {error.value}")
    return printed.getvalue()


def check(block: Block, printed: str, where: str) -> None:
    """Compare with the page's output, if it shows one."""
    if block.output is None or block.output.marked("recorded") is not None:
        return
    varies = block.output.marked("figures vary") is not None
    difference = differs(block.output.code, printed, figures_vary=varies)
    assert difference is None, f"{where}: other output\n{difference}"
