"""A script of `experiments/`, run or imported in the test's own process."""

import runpy
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def run_script(name: str, *words: object) -> None:
    """As `python experiments/NAME WORDS` runs it."""
    script = EXPERIMENTS / name
    old, sys.argv = sys.argv, [script.name, *map(str, words)]
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv = old


def functions_of(name: str) -> ModuleType:
    """The script `experiments/NAME`, imported without running it."""
    spec = spec_from_file_location(Path(name).stem, EXPERIMENTS / name)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
