"""Floor 5, the command line: arguments in, calls out, no logic.

What a command needs is imported inside it: `ulmfit --help` loads neither torch nor numpy.
"""

from __future__ import annotations

import sys
from functools import cache
from io import TextIOWrapper
from typing import Annotated

import typer

from ulmfit.cli import (
    clean,
    cross_validation,
    demo,
    explain,
    hub,
    language_models,
    rate_finding,
    report,
    shelves,
    suggest,
    tracking,
    training,
    tuning,
    using,
)
from ulmfit.cli.errors import guard

EPILOG = "Each command has its own --help, and --json for programs."

app = typer.Typer(
    name="ulmfit",
    help="Transfer learning for text: pretrain, fine-tune, classify, predict.",
    epilog=EPILOG,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: quick, and readable in any terminal or file
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 80},
)
for command in (
    training.train,
    using.predict,
    using.evaluate,
    report.report,
    explain.explain,
    suggest.suggest,
    clean.clean,
    language_models.pretrain,
    language_models.finetune,
    using.perplexity,
    using.generate,
    training.resume,
    rate_finding.find_rate,
    tuning.tune,
    cross_validation.cross_validate,
    tracking.track,
    hub.push,
    hub.pull,
    shelves.models,
    shelves.data,
    demo.demo,
):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from ulmfit import __version__

        print(f"ulmfit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@cache
def _program() -> typer.core.TyperGroup:
    """What `app` describes, made once a process: it takes 40 ms."""
    return typer.main.get_group(app)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed or interrupted, 2 wrong call or input."""
    words = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a text of any script must not fail on a terminal
            stream.reconfigure(errors="backslashreplace")
    given = words[: words.index("--")] if "--" in words else words
    run = lambda: _program()(words, prog_name="ulmfit", standalone_mode=False)  # noqa: E731
    sys.exit(guard(run, "--json" in given))
