"""results.json: what was measured, part by part; every write leaves a whole file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.pairs import Answers, Spread, rates
from ulmfit.errors import InputError
from ulmfit.files import write_atomically

KEYS = {
    "lm_train_ratio": "lm-train",
    "gemm_share": "lm-train",
    "classifier_train_ratio": "classifier-train",
    "predict_ratio": "predict",
    "predict_int8_ratio": "predict",
    "predict_default_ratio": "default",
    "single_text_ratio": "single",
    "single_text_ms": "single",
    "tokenise_ratio": "tokenise",
    "load_s": "start",
    "help_s": "start",
}
"""what every finished results.json has -> the benchmark that measures it"""


@dataclass
class Outcome:
    """What one benchmark found."""

    figures: dict[str, Spread] = field(default_factory=dict)
    """by key of results.json"""
    sides: dict[str, dict[str, Any]] = field(default_factory=dict)
    """rates, memory and more of each side"""
    notes: list[str] = field(default_factory=list)
    """what a reader of the figures must know"""

    def add_side(self, name: str, answers: Answers, unit: str, **more: Any) -> None:
        """A side's rate, its spread and the most memory that its process held."""
        peak = round(max(answer["peak_mb"] for answer in answers))
        rate = {"unit": unit, **asdict(Spread.of(rates(answers)))}
        self.sides[name] = {**rate, "peak_mb": peak, **more}


def read(path: Path) -> dict[str, Any]:
    """What was measured so far.

    Raises:
        InputError: the file is not what `store` writes.
    """
    if not path.exists():
        return {}
    try:
        results = json.loads(path.read_text("utf8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None
    if not isinstance(results, dict) or not {"machine", "parts", "spread"} <= results.keys():
        raise InputError(f"{path}: not the results of `make bench`; move it away")
    return results


def updated(
    results: Mapping[str, Any],
    name: str,
    outcome: Outcome,
    machine: Mapping[str, Any],
    **about: Any,
) -> dict[str, Any]:
    """`results` with what one benchmark found in place of what it found before.

    Figures of another machine are dropped: one file speaks of one machine.
    """
    kept = dict(results) if results.get("machine") == machine else {}
    before = kept.get("parts", {}).get(name, {}).get("keys", [])
    flat = {k: v for k, v in kept.items() if k not in before}
    spread = {k: v for k, v in kept.get("spread", {}).items() if k not in before}
    for key, found in outcome.figures.items():
        flat[key] = rounded(found.median)
        spread[key] = [rounded(found.least), rounded(found.most)]
    part = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **about,
        "keys": list(outcome.figures),
        "notes": outcome.notes,
        "sides": {side: _rounded(told) for side, told in outcome.sides.items()},
    }
    parts = {**kept.get("parts", {}), name: part}
    return {**flat, "spread": spread, "machine": dict(machine), "parts": parts}


def store(path: Path, results: Mapping[str, Any]) -> None:
    """The figures first, then what they rest on."""
    last = ("spread", "machine", "parts")
    figures = {key: results[key] for key in sorted(results.keys() - set(last))}
    whole = {**figures, **{key: results[key] for key in last}}
    write_atomically(path, (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())


def missing(results: Mapping[str, Any]) -> list[str]:
    """Keys that are not measured yet."""
    return [key for key in KEYS if key not in results]


def rounded(value: float) -> float:
    """Four digits: more are noise."""
    return float(f"{value:.4g}")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(inner) for inner in value]
    return value
