"""Settings of one's own: some values over a preset's, from a JSON file, each one checked.

    {"preset": "default", "classifier": {"peak": 0.02, "dropouts": {"weight": 0.3}}}

What is not named keeps the preset's value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ulmfit.errors import InputError
from ulmfit.presets import INSTEAD, ClassifierSettings, Preset
from ulmfit.training.schedules import SCHEDULES

Settings = Mapping[str, Any]
"""of JSON values: the keys of `Preset`, those of its parts inside"""
Part = TypeVar("Part")
PRESET = "preset"  # the key that names the preset over which the values were chosen
_WHOLE = {"epochs", "batch", "bptt", "chunk", "pooled_tokens", "head_hidden", "patience"} | {
    "stage_epochs"
}
_PROBABILITIES = {"output", "hidden", "input", "embedding", "weight", "head_dropouts"}
_LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_WHOLE | {"min_windows", "min_count"}, (1, 10**9)),
    **dict.fromkeys(_PROBABILITIES, (0, 0.95)),  # of dropping; 1 would leave nothing
    "batch": (2, 10**6),  # batch norm needs two
    "stages": (0, 100),
    "min_steps": (0, 10**6),
    "max_vocabulary": (9, 2_000_000),  # the special tokens and a word; as `manifest` allows
    "peak": (1e-9, 10),
    "factor": (0.1, 100),
    "ratios": (0, 10),
    "betas": (0, 0.99999),
    "weight_decay": (0, 1),
    "clip": (0, 1e6),
    "alpha": (0, 1e3),
    "beta": (0, 1e3),
}


def read_settings(given: str) -> dict[str, Any]:
    """The settings in a JSON file, or in `given` itself where it begins with a brace.

    `with_settings` checks what they say.

    Raises:
        InputError: there is no such file, or no JSON object.
    """
    where = "settings" if given.lstrip().startswith("{") else given
    try:
        values = json.loads(given if where != given else Path(given).read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{where}: not readable as JSON ({told})") from None
    if not isinstance(values, dict):
        raise InputError(f'{where}: expected a JSON object like {{"classifier": {{"peak": 0.02}}}}')
    return values


def with_settings(chosen: Preset, values: Settings) -> Preset:
    """`chosen` with other values.

    Raises:
        InputError: a key that there is not, a value of the wrong kind or out of range, one that
            the chosen unfreezing does not use, or values that were chosen over another preset; it
            names the key and what would be right.
    """
    if (over := values.get(PRESET, chosen.name)) != chosen.name:
        raise InputError(
            f"settings: they were made for preset {over!r}, not {chosen.name!r}: "
            f"choose --preset {over}, or drop the key 'preset'"
        )
    return _replaced(chosen, {k: v for k, v in values.items() if k != PRESET}, ())


def check_depth(values: Settings | None, layers: int) -> None:
    """Refuse `ratios` of one's own that a language model of so many layers cannot take.

    Raises:
        InputError: they are not one for each layer and one for the embedding.
    """
    ratios = (values or {}).get("language_model", {}).get("ratios")
    if ratios and len(ratios) != layers + 1:
        raise InputError(
            f"settings: language_model.ratios holds {len(ratios)} values, and the language model "
            f"has {layers + 1} layer groups: {layers} LSTM layers, lowest first, and the embedding"
        )


def _replaced(part: Part, values: Settings, where: tuple[str, ...]) -> Part:
    """A dataclass with some of its values replaced."""
    hints = get_type_hints(type(part))
    known = [field.name for field in fields(part) if field.name != "name"]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise InputError(_unknown(".".join((*where, key)), key, known))
        old = getattr(part, key)
        if is_dataclass(old):
            changes[key] = _replaced(old, _object(value, (*where, key)), (*where, key))
        else:
            changes[key] = _checked(key, value, hints[key], ".".join((*where, key)))
    instead = dict(INSTEAD[key] for key in changes if key in INSTEAD)
    changes = {key: value for key, value in instead.items() if key in known} | changes
    made = replace(part, **changes)  # type: ignore[type-var]
    if isinstance(made, ClassifierSettings):
        for key in (key for key in made.idle if key in changes):
            if changes[key] != getattr(part, key):
                told = f"is not used {made.idle[key]}; leave it out"
                raise InputError(f"settings: {'.'.join((*where, key))} {told}")
    return made


def _unknown(where: str, key: str, known: list[str]) -> str:
    alike = get_close_matches(key, known, 1)
    meant = f"did you mean {alike[0]!r}? " if alike else ""
    return f"settings: there is no {where!r}; {meant}known here: {', '.join(known)}"


def _object(value: object, where: tuple[str, ...]) -> Settings:
    if not isinstance(value, dict):
        raise InputError(f"settings: {'.'.join(where)} must be an object {{...}}, not {value!r}")
    return value


def _checked(key: str, value: object, hint: Any, where: str) -> Any:
    try:  # as JSON: a list may stand for a tuple, and nothing else is converted
        found = TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError) as error:
        wrong = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise InputError(f"settings: {where} is {value!r}: {wrong}") from None
    if key in ("schedule", "last_schedule") and found is not None and found not in SCHEDULES:
        raise InputError(
            f"settings: {where} is {value!r}: choose one of {', '.join(sorted(SCHEDULES))}"
        )
    low, high = _LIMITS.get(key, (0, 10**9))
    if any(not low <= number <= high for number in _numbers(found)):
        raise InputError(f"settings: {where} is {value!r}: expected {low:g} to {high:g}")
    return found


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, tuple):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
