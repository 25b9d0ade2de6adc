"""The commands for the Hugging Face hub: push, pull."""

from __future__ import annotations

from typing import Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer


def push(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Folder of a classifier or a language model.")
    ],
    repo: Annotated[str, typer.Argument(metavar="REPO", help="user/name, or user/name@branch.")],
    license: Annotated[
        str | None,
        typer.Option("--license", metavar="ID", help="Of the model, for its card: apache-2.0, ..."),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private, if it is new.")
    ] = False,
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="Of the commit.")
    ] = "Upload a model made with ulmfit",
    json: a.Json = False,
) -> None:
    """Upload a model to the Hugging Face hub."""
    from ulmfit.hub.sharing import push
    from ulmfit.remote import PREFIX

    address = push(model, repo, license=license, private=private, message=message)
    lines = [f"uploaded    {address}", f"use it as   {PREFIX}{repo.removeprefix(PREFIX)}"]
    if license is None:
        lines.append("It has no license, so nobody may use it without asking: --license ID")
    answer({"repo": repo, "commit": address, "license": license}, lines, json)


def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="user/name, or user/name@revision, of the hub.")
    ],
    out: a.Out,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Copy a model from the Hugging Face hub."""
    from ulmfit.hub.sharing import pull

    with making(out):
        folder = pull(name, out, overwrite=overwrite)
    answer({"name": name, "model": str(folder)}, [f"model       {folder}"], json)
