"""The commands that say what there is, and fetch it: models, data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, table
from ulmfit.wording import size

DATA_FOLDER = "data"


def models(json: a.Json = False) -> None:
    """List the language models that come with the package."""
    from ulmfit.pretrained import models

    every = models()
    header = ["name", "directions", "vocabulary", "embedding", "hidden", "layers", "size"]
    rows = [
        [
            f"{m['name']}{' (default)' * bool(m.get('default'))}",
            "+".join(m["directions"]),
            *(f"{m[field]:,}" for field in ("vocabulary", "embedding", "hidden", "layers")),
            size(m["bytes"]),
        ]
        for m in every
    ]
    answer({"models": every}, table(rows, header) if rows else ["none"], json)


def data(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A data set; without it, list them.")
    ] = None,
    local: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="FILE", help="A local copy instead; repeatable."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER", help="Where the data sets are kept.")
    ] = DATA_FOLDER,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Refuse a local file that is not the publisher's."),
    ] = True,
    json: a.Json = False,
) -> None:
    """Fetch a data set; without a name, list them."""
    if name is None:
        _list(json)
        return
    from ulmfit.cli.progress import counting
    from ulmfit.data.catalogue import find_dataset
    from ulmfit.data.fetch import fetch

    dataset = find_dataset(name)
    with making(str(Path(to) / dataset.name)), counting(dataset.name, "bytes") as progress:
        fetched = fetch(
            dataset,
            Path(to),
            local=[Path(path) for path in local or ()],
            check=check,
            progress=progress,
            say=lambda message: print(message, file=sys.stderr),
        )
    parts = {part: str(path) for part, path in fetched.parts.items()}
    result = {
        "name": dataset.name,
        "folder": str(fetched.folder),
        "parts": parts,
        "missing": list(fetched.missing),
        "sha256": fetched.sha256,
        "already_there": fetched.already_there,
    }
    missing = [f"{part}: not there" for part in fetched.missing]
    answer(result, [*(f"{part}: {path}" for part, path in parts.items()), *missing], json)


def _list(as_json: bool) -> None:
    from ulmfit.data.catalogue import CATALOGUE

    every = [{"name": d.name, "title": d.title, "source": d.source} for d in CATALOGUE]
    lines = [line for d in CATALOGUE for line in (f"{d.name:13} {d.title}", f"{'':13} {d.source}")]
    answer({"data": every}, [*lines, "", "fetch one with: ulmfit data NAME"], as_json)
