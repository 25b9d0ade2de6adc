"""Values that JSON has a form for, and their JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import partial


def finite(value: object) -> object:
    """The same, lists and objects through and through, with None for an infinity and for NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def as_json(value: object, ascii_only: bool = False) -> str:
    """JSON, in which null stands for an infinity and for NaN."""
    write = partial(json.dumps, ensure_ascii=ascii_only, default=plain, allow_nan=False)
    try:
        return write(value)
    except ValueError:
        return write(finite(value))


def plain(value: object) -> str:
    """For JSON, what has no form there: dates, decimals, bytes."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
