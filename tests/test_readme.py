"""What README.md shows works: every command parses, the Python runs, every path is there."""

import re
import shlex
from pathlib import Path

import pytest
import torch
import typer

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, HeadConfig, empty_classifier
from ulmfit.cli import app
from ulmfit.model.awd_lstm import Architecture
from ulmfit.presets import PRESETS
from ulmfit.text import Encoder

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf8")
COMMANDS = typer.main.get_command(app)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language ("" for none named)."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [body for named, body in fenced if named == language]


def shell_lines() -> list[str]:
    """Lines of the shell blocks, those that go on after a backslash joined."""
    joined = "".join(blocks("sh")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if shlex.split(line, comments=True)]


def quoted_commands() -> list[str]:
    """`ulmfit ...` between single backquotes, where it is a whole call."""
    return [code for code in re.findall(r"`(ulmfit [^`\n]+)`", README) if "..." not in code]


def test_there_is_something_to_check() -> None:
    assert len(shell_lines()) >= 6 and blocks("python") and blocks("")


@pytest.mark.parametrize("line", [*shell_lines(), *quoted_commands()])
def test_a_command_is_one_that_there_is(line: str) -> None:
    *feeding, program_and_words = line.split(" | ")
    assert all(part.startswith(("echo ", "head ")) for part in feeding)
    program, *words = shlex.split(program_and_words, comments=True)
    if program == "ulmfit":
        name, *arguments = words
        assert name in COMMANDS.commands, f"there is no `ulmfit {name}`"
        COMMANDS.commands[name].make_context(name, arguments)  # parses, and runs nothing
    elif program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    elif program == "python" and words[0].endswith(".py"):
        assert (ROOT / words[0]).is_file()
    else:
        known = {"cd", "source", "git", "python", "python3", "pip"}
        assert program.removeprefix(".venv/bin/") in known, f"what is {program}?"


def test_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(typer.TyperException):
        COMMANDS.commands["train"].make_context("train", ["x.csv", "--out", "m", "--wings"])


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
