"""Running a script of `experiments/` inside the test's own process."""

import runpy
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def run_script(name: str, *words: object) -> None:
    """As `python experiments/NAME WORDS` runs it."""
    script = EXPERIMENTS / name
    old, sys.argv = sys.argv, [script.name, *map(str, words)]
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv = old
