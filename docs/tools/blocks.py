"""The fenced blocks of a page of the documentation, with the marks that stand before them.

A mark is a comment, so it is seen in the page's source and not by its reader:

- `<!-- test: file NAME -->`: the block is a file; it is written before the page is run.
- `<!-- test: fails -->`: the command ends with exit code 2, or the Python with `InputError`.
- `<!-- test: figures vary -->`: numbers of the output may be others; all else must be the same.
- `<!-- test: slow -->`: left out of the default run; `pytest -m slow` runs it.
- `<!-- test: needs MODULE -->`: the page's test is skipped where the module is not installed.
- `<!-- test: parsed only, REASON -->`: cannot run here (no network, no GPU); the call is checked.
- `<!-- test: recorded -->`: the output of a run on real data (`fill.py`); it is not compared.
- `<!-- test: interrupted NAME -->`: before the block, a run that makes NAME is broken off.

A `text` block directly behind a `sh` or `python` block is what that block prints. In it `...`
stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

RUN = ("sh", "python")
OUTPUT = "text"
MARK = re.compile(r"<!-- test: (.+?) -->", re.DOTALL)


@dataclass
class Block:
    """One fenced block."""

    line: int
    """of the page, from 1, on which its code begins"""
    language: str
    code: str
    marks: tuple[str, ...] = ()
    output: Block | None = field(default=None, repr=False)
    """what it prints"""

    def marked(self, mark: str) -> str | None:
        """What stands behind `mark`, "" if it stands alone, None if it is not there."""
        found = [m for m in self.marks if m == mark or m.startswith((f"{mark} ", f"{mark},"))]
        return found[0][len(mark) :].strip(" ,") if found else None


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page; outputs stand with the block that prints them."""
    found: list[Block] = []
    marks: tuple[str, ...] = ()
    behind_a_block = False
    for token in MarkdownIt().parse(page):
        if token.type == "html_block" and MARK.search(token.content):
            marks += tuple(" ".join(m.split()) for m in MARK.findall(token.content))
        elif token.type == "fence" and token.map:
            block = Block(token.map[0] + 2, token.info.strip(), token.content, marks)
            if block.language == OUTPUT and behind_a_block:
                found[-1].output = block
            else:
                found.append(block)
            behind_a_block = block.language in RUN
            marks = ()
        elif token.type != "html_block":
            behind_a_block = False
    return found


def pages(folder: Path) -> list[Path]:
    """Every page of the documentation."""
    return sorted(folder.rglob("*.md"))
