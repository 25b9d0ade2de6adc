"""Commands that cannot run here (they install, download, want an account), read for mistakes."""

import argparse
import re
import shlex
import tomllib
from pathlib import Path

import typer
from blocks import Block

from ulmfit.cli import app

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
EXTRAS = PROJECT["optional-dependencies"].keys()
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf8"), re.M))
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf8"), re.M))
# Whole calls of other programs, each tried by hand.
TRIED = {"python3 -m venv .venv", "source .venv/bin/activate", "hf auth login"}


def parse(block: Block, where: str) -> None:
    """A block that cannot run here: its calls are calls that there are."""
    assert block.marked("parsed only"), f"{where}: say why the block is parsed only"
    assert block.language == "sh", f"{where}: Python runs"
    for line in block.code.replace("\\\n", " ").splitlines():
        parse_line(line)


def parse_line(line: str) -> None:
    """Raise where the line calls what there is not."""
    program, *words = [*shlex.split(line, comments=True), ""][:-1] or [""]
    program = program.removeprefix(".venv/bin/")
    if program == "ulmfit":
        assert words and words[0] in COMMANDS, f"there is no such command: {line}"
        COMMANDS[words[0]].make_context(words[0], words[1:])  # parses, and runs nothing
    elif program == "pip":
        parse_pip(words)
    elif program == "make":
        assert set(words) <= TARGETS, f"the Makefile lacks {sorted(set(words) - TARGETS)}"
    elif program:
        assert shlex.join([program, *words]) in TRIED, f"nobody has tried this: {line}"


def parse_pip(words: list[str]) -> None:
    """`pip WORDS`: an option that these pages use, files and extras that there are."""
    options = argparse.ArgumentParser("pip", add_help=False, allow_abbrev=False)
    options.add_argument("verb", choices=("install", "wheel"))
    options.add_argument("wanted", nargs="+")
    options.add_argument("-c", type=Path)
    for name in ("--index-url", "--extra-index-url", "--find-links", "--wheel-dir"):
        options.add_argument(name)
    for name in ("-e", "--quiet", "--no-index"):
        options.add_argument(name, action="store_true")
    asked = options.parse_intermixed_args(words)
    assert asked.c is None or (ROOT / asked.c).is_file(), f"there is no {asked.c}"
    for wanted in asked.wanted:
        check_package(wanted)


def check_package(wanted: str) -> None:
    """This package with extras that it has, or a pinned one in no other version."""
    told = re.fullmatch(r"([\w.-]+)(?:\[([\w,]+)\])?(?:==(\S+))?", wanted)
    assert told, f"what is {wanted}?"
    name, extras, version = told.groups()
    if name in (".", PROJECT["name"]):
        unknown = set(extras.split(",") if extras else ()) - EXTRAS
        assert not unknown and not version, f"{wanted}: there is no extra {sorted(unknown)}"
    else:
        assert name in PINS and not extras, f"{wanted} is not in constraints.txt"
        assert version in (None, PINS[name]), f"{wanted}: constraints.txt has {PINS[name]}"
