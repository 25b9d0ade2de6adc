"""The directive `preset-values`: every value of every preset in tables, read off the presets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ulmfit.presets import PRESETS


def parts() -> Iterator[tuple[str, list[list[str]]]]:
    """(the part of a preset, rows of a value's name and what it is in each preset)."""
    every = PRESETS.values()
    for part in ("language_model", "classifier"):
        columns = [dict(values(getattr(preset, part))) for preset in every]
        yield part, [[name, *(c[name] for c in columns)] for name in columns[0]]
    columns = [{n: v for n, v in values(preset) if "." not in n} for preset in every]
    yield "", [[name, *(c[name] for c in columns)] for name in columns[0]]


def values(part: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """(name as `--settings` nests it, value) of everything in a preset, or a part, but its name."""
    for field in fields(part):
        name, value = f"{above}{field.name}", getattr(part, field.name)
        if is_dataclass(value):
            yield from values(value, f"{name}.")
        elif field.name != "name":
            yield name, shown(value)


def shown(value: object) -> str:
    """A value as JSON would have it, rounded for the eye."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return {"True": "true", "False": "false", "None": "null"}.get(str(value), str(value))


class PresetValues(SphinxDirective):
    """A table for each part, a row for each value, a column for each preset."""

    def run(self) -> list[nodes.Node]:
        """The tables with their titles."""
        found: list[nodes.Node] = []
        for part, rows in parts():
            title = nodes.literal(part, part) if part else nodes.Text("beside these")
            found += [nodes.rubric("", "", title), table([["", *PRESETS], *rows])]
        return found


def table(rows: list[list[str]]) -> nodes.table:
    """The first row is the header."""
    made, group = nodes.table(), nodes.tgroup(cols=len(rows[0]))
    made += group
    group += [nodes.colspec(colwidth=2 if i == 0 else 1) for i in range(len(rows[0]))]
    group += [nodes.thead("", row_of(rows[0])), nodes.tbody("", *map(row_of, rows[1:]))]
    return made


def row_of(cells: list[str]) -> nodes.row:
    """A row of a table, its first cell a name."""
    name, *rest = cells
    first = nodes.literal(name, name) if name else nodes.Text("")
    texts = [first, *map(nodes.Text, rest)]
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", text)) for text in texts))


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.add_directive("preset-values", PresetValues)
    return {"parallel_read_safe": True}
