"""Runs the commands of a page as its reader would and writes what they print into the page.

    python docs/tools/fill.py docs/walkthroughs/trec-6.md

Each block of commands is run in a fresh clone of this repository, on a terminal of 80 columns. What
it prints and how long it took goes between two comments behind the block, the whole time and the
machine at the page's end.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from blocks import Block, blocks
from terminal import Done, Terminal

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- filled -->", "<!-- /filled -->"
FILLED = re.compile(rf"\n*{re.escape(BEGIN)}.*?{re.escape(END)}\n", re.DOTALL)


def main() -> None:
    """Fill the pages that are named."""
    wanted = _arguments()
    for page in wanted.page:
        text = FILLED.sub("\n", page.read_text("utf8"))
        with tempfile.TemporaryDirectory() as state:
            folder = wanted.folder or Path(state) / "ulmfit"
            _desk(folder, wanted.data)
            terminal = Terminal(folder, Path(state) / "state")
            parts = list(filled(text, terminal, install=not wanted.installed))
        page.write_text("".join(parts), "utf8")


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("page", type=Path, nargs="+")
    asked.add_argument("--folder", type=Path, help="work here; else in a folder of its own")
    asked.add_argument("--data", type=Path, help="copy this folder in as `data`: no download")
    asked.add_argument(
        "--installed", action="store_true", help="skip the blocks that install: use what is there"
    )
    return asked.parse_args()


def _desk(folder: Path, data: Path | None) -> None:
    """What a reader begins with."""
    if not folder.exists():
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    if data and not (folder / "data").exists():
        shutil.copytree(data, folder / "data")


def filled(page: str, terminal: Terminal, *, install: bool = True) -> Iterator[str]:
    """The page piece by piece, each block with what it did."""
    lines = page.splitlines(keepends=True)
    at, seconds = 0, 0.0
    for block in blocks(page):
        if block.language != "sh" or (not install and block.marked("parsed only") is not None):
            continue
        end = block.line + block.code.count("\n")  # of the closing fence, from 0: end + 1 lines
        yield "".join(lines[at:end])
        at = end
        done = terminal.run(_with_files(page, block))
        seconds += done.seconds
        yield _told(done)
        if done.code:
            raise SystemExit(f"line {block.line}: exit code {done.code}\n{done.shown}")
        print(f"{took(done.seconds):>18}  {block.code.splitlines()[0]}", file=sys.stderr)
    yield "".join(lines[at:]).rstrip("\n") + "\n"
    yield f"\n{BEGIN}\n{_in_all(seconds)}\n{END}\n"


def _with_files(page: str, block: Block) -> str:
    """The block, with the files that the page shows before it written first."""
    files = ""
    for other in blocks(page):
        if (name := other.marked("file")) and other.line < block.line:
            files += f"cat > {name} <<'END OF FILE'\n{other.code}END OF FILE\n"
    return files + block.code


def _told(done: Done) -> str:
    fence = "```"
    while fence in done.shown:
        fence += "`"
    shown = f"<!-- test: recorded -->\n{fence}text\n{done.shown}\n{fence}\n\n" if done.shown else ""
    return f"\n{BEGIN}\n{shown}*{took(done.seconds)}*\n{END}\n"


def _in_all(seconds: float) -> str:
    return f"All commands of this page together took {took(seconds)} on {machine()}."


def took(seconds: float) -> str:
    """Seconds for a person."""
    if seconds < 1:
        return "less than a second"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def machine() -> str:
    """This machine, as far as a figure depends on it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return f"{cores} cores of {names[0] if names else platform.machine()}"


if __name__ == "__main__":
    main()
