"""The class labels that Hugging Face `datasets` keeps as numbers, told by name.

A `ClassLabel` comes as its name, and as no label where it is none of the names (-1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

NESTED = ("List", "LargeList", "Sequence")
Rename = Callable[[Any], Any]
Renames = Mapping[str, Rename]


def renames_in(schema: Any) -> Renames:
    """How to name the class labels of a file whose Arrow schema this is; empty where none are."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return renames_of(features)


def renames_of(features: Any) -> Renames:
    """The same for the features that `datasets` tells, whatever they hold."""
    found = {str(n): _rename(f) for n, f in features.items()} if isinstance(features, dict) else {}
    return {name: rename for name, rename in found.items() if rename is not None}


def renamed(fields: dict[str, object], renames: Renames) -> dict[str, object]:
    """A row with its class labels by name."""
    return {name: renames[name](v) if name in renames else v for name, v in fields.items()}


def _rename(feature: Any) -> Rename | None:
    if not isinstance(feature, dict):
        return None
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return partial(_named, [str(name) for name in names])
    if feature.get("_type") in NESTED and (inner := _rename(feature.get("feature"))):
        return partial(_each, inner)
    return None


def _named(names: list[str], value: Any) -> Any:
    if not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def _each(rename: Rename, values: Any) -> Any:
    return [rename(value) for value in values] if isinstance(values, list) else values
