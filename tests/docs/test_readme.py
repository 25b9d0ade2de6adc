"""What README.md shows works: its commands and its Python run, every path is there."""

import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from parsing import parse_line
from reader import Shell, break_off
from shrinking import shrink

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, HeadConfig, empty_classifier
from ulmfit.model.awd_lstm import Architecture
from ulmfit.presets import PRESETS
from ulmfit.text import Encoder

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf8")
# They install, or want an account of the hub.
PARSED_ONLY = ("python3 -m venv ", ".venv/bin/pip ", "make ", "source ", "ulmfit push ")
MODULES = {"tune": "optuna", "track": "tensorboard"}  # of the extras that a line names
MADE = re.compile(r"(?:--out|-o|--plot) (\S+)")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language ("" for none named)."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [body for named, body in fenced if named == language]


def shell_lines() -> list[str]:
    """Lines of the shell blocks, those that go on after a backslash joined."""
    joined = "".join(blocks("sh")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if shlex.split(line, comments=True)]


def quoted_commands() -> list[str]:
    """`ulmfit ...` or `pip ...` between single backquotes, where it is a whole call."""
    return [code for code in re.findall(r"`((?:ulmfit|pip) [^`\n]+)`", README) if "..." not in code]


LINES = [line for line in shell_lines() if not line.startswith(PARSED_ONLY)]
UNRUN = [line for line in shell_lines() if line.startswith(PARSED_ONLY)] + quoted_commands()


def test_there_is_something_to_check() -> None:
    assert len(LINES) > 15 and blocks("python") and blocks("")
    assert all(any(line.startswith(start) for line in UNRUN) for start in PARSED_ONLY)


@pytest.mark.parametrize("line", UNRUN)
def test_a_command_is_one_that_there_is(line: str) -> None:
    parse_line(line)


@pytest.fixture(scope="module")
def full_desk(shell: Shell, desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's files and what earlier lines of the README left."""
    folder = tmp_path_factory.mktemp("readme") / "desk"
    shutil.copytree(desk, folder)
    shutil.copytree(desk / "texts", folder / "archive")
    shutil.copy(desk / "held-out.csv", folder / "more-reviews.csv")
    code, told = shell.run(
        "ulmfit train shop/train.csv --no-finetune --no-report --out shop/model", folder
    )
    assert code == 0, told[-500:]
    return folder


@pytest.mark.parametrize("line", LINES)
def test_a_command_runs(
    line: str,
    shell: Shell,
    full_desk: Path,
    embedded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extra = re.search(r"# extra: (\w+)", line)
    if extra and find_spec(MODULES[extra[1]]) is None:
        pytest.skip(f"{MODULES[extra[1]]} is not installed")
    folder = tmp_path / "desk"
    shutil.copytree(full_desk, folder)
    monkeypatch.chdir(folder)
    made = MADE.findall(line)
    for name in made:
        shutil.rmtree(folder / name, ignore_errors=True)
    if line.startswith("ulmfit resume "):
        shrink(embedded, monkeypatch.setattr)
        shutil.rmtree("model")
        break_off("model")
        made = ["model"]
    code, told = shell.run(line, folder)
    assert code == 0, told[-1000:]
    assert all((folder / name).exists() for name in made)


@pytest.fixture
def model(encoder: Encoder, tmp_path: Path) -> Path:
    """A tiny classifier, not trained, in a folder called `model`."""
    sizes, head = Architecture(len(encoder.vocab), 16, 16, 2), HeadConfig()
    torch.manual_seed(0)
    weights = empty_classifier(sizes, head, 2).state_dict()
    made = Bundle(
        "classifier", sizes, encoder, {"forward": weights}, labels=["bad", "good"], head=head
    )
    bundles.save(made, tmp_path / "model", "")
    return tmp_path / "model"


@pytest.mark.parametrize("block", blocks("python"))
def test_the_python_runs(
    block: str,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(model.parent)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert "'bad'" in printed and "'good'" in printed


def tree_paths() -> list[str]:
    """The paths of the captioned tree."""
    tree = next(block for block in blocks("") if "src/ulmfit/" in block)
    folder, paths = "", []
    for line in tree.splitlines():
        if match := re.match(r"( *)([\w./-]+)", line):
            inside, name = bool(match[1]), match[2]
            folder = folder if inside else name
            paths.append(folder + name if inside else name)
    return paths


@pytest.mark.parametrize("path", tree_paths())
def test_the_tree_shows_what_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", re.findall(r"\]\(([\w./-]+)\)", README))
def test_a_link_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_preset_is_explained() -> None:
    table = README.partition("## Presets")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == set(PRESETS)
