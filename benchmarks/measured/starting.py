"""Start-up: help, a bundle from disk, a new process to its first answer."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measured.systems import all_systems, doing, make_saved
from benchmarks.pairs import Side, Spread, measure, measure_fresh
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes


def start(folder: Path, sizes: Sizes) -> Outcome:
    """Seconds, each of a new process but for `load_s`, the bundle alone once torch is there."""
    systems = {name: side for name, side in all_systems().items() if name != "ours, fp32"}
    make_saved(folder, sizes, systems)
    outcome = Outcome(notes=["from the start of Python to the first answer, files cached"])
    outcome.figures["help_s"] = Spread.of([_help() for _ in range(sizes.rounds + 1)][1:])
    loads = measure({"ours": Side("ours_load")}, folder, sizes.rounds)["ours"]
    outcome.figures["load_s"] = Spread.of([answer["seconds"] for answer in loads])
    answers = measure_fresh(doing(systems, "start"), folder, sizes.rounds)
    for name, told in answers.items():
        walls = Spread.of([answer["wall_s"] for answer in told])
        parts = {
            part: Spread.of([answer[part] for answer in told]).median
            for part in ("import_s", "open_s", "first_s")
        }
        peak = round(max(answer["peak_mb"] for answer in told))
        outcome.sides[name] = {"unit": "s", **vars(walls), "peak_mb": peak, **parts}
    ratios = [
        theirs["wall_s"] / mine["wall_s"]
        for mine, theirs in zip(answers["ours"], answers["fastai"], strict=True)
    ]
    outcome.figures["start_ratio"] = Spread.of(ratios)
    return outcome


def _help() -> float:
    script = Path(sys.executable).parent / "ulmfit"
    started = time.perf_counter()
    subprocess.run([script, "--help"], check=True, capture_output=True)
    return time.perf_counter() - started
