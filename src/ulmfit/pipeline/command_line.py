"""The options of a run, written as the command that asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from ulmfit.pipeline.options import FinetuneOptions, Machine, Options, Source

SOURCES = ("corpus", "data")


def command_line(command: str, options: Options) -> list[str]:
    """The words of the shortest `ulmfit` call that asks for `options`."""
    source: Source = getattr(options, "data", None) or getattr(options, "corpus")  # noqa: B009
    words = ["ulmfit", command]
    if isinstance(options, FinetuneOptions):
        words.append(options.lm)
    words += [_no_option(path) for path in source.paths]
    words += ["--out", options.out] if options.out else []
    words += _flags(source, leave=("paths",) if command == "train" else ("paths", "label"))
    words += _flags(options, leave=(*SOURCES, "out", "machine", *_positional(options)))
    return words + list(_flags(options.machine))


def _positional(options: Options) -> tuple[str, ...]:
    return ("lm",) if isinstance(options, FinetuneOptions) else ()


def _no_option(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


def _flags(values: Options | Source | Machine, leave: tuple[str, ...] = ()) -> Iterator[str]:
    """The options of each field that is not what it is by default."""
    for field in fields(values):
        value = getattr(values, field.name)
        if field.name not in leave and value != _default(field):
            yield from _flag(field.name.replace("_", "-"), value)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _flag(name: str, value: Any) -> Iterator[str]:
    match value:
        case True:
            yield f"--{name}"
        case False:
            yield f"--no-{name}"
        case dict():
            yield from (f"--{name}", json.dumps(value))
        case tuple() | list():
            for part in value:
                yield from (f"--{name}", str(part))
        case _:
            yield from (f"--{name}", str(value))
