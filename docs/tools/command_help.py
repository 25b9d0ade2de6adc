"""The directive `command-help`: every command of `ulmfit` with its own `--help`, 80 columns wide.

The page cannot tell anything but what the program says: it is made anew with every build.
"""

from __future__ import annotations

from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ulmfit.cli import app

NAME = "ulmfit"
WIDTH = 78  # on a terminal of 80 columns two stay free


def helps() -> dict[str, str]:
    """What `--help` prints: of `ulmfit` itself, then of each command."""
    whole = typer.main.get_command(app)
    top = whole.make_context(NAME, ["--help"], resilient_parsing=True, terminal_width=WIDTH)
    told = {NAME: whole.get_help(top)}
    for name, command in whole.commands.items():  # type: ignore[attr-defined]
        context = command.make_context(
            name, ["--help"], parent=top, resilient_parsing=True, terminal_width=WIDTH
        )
        told[f"{NAME} {name}"] = command.get_help(context)
    return told


class CommandHelp(SphinxDirective):
    """A section for each command, so that `#ulmfit-train` leads to its help."""

    def run(self) -> list[nodes.Node]:
        """The sections."""
        sections = []
        for title, told in helps().items():
            section = nodes.section(ids=[nodes.make_id(title)])
            section += nodes.title(title, title)
            section += nodes.literal_block(told, told, language="text")
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
