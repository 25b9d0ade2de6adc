"""What bench.py measured -> the fitting arguments of train.py; nothing where it measured nothing.

python choose.py speed.jsonl     # --batch 192 --path steps
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from speed import chosen

PATHS = {"ours": "steps", "cudnn recorded": "native"}
BETTER = 1.05  # times as fast must cuDNN be to be taken: below, it is noise


def arguments(rows: list[dict[str, Any]]) -> str:
    """The faster path, and the smallest batch that is nearly as fast as its fastest."""
    measured: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["way"] in PATHS and row.get("tokens_per_second"):
            measured.setdefault(row["way"], {})[row["batch"]] = row["tokens_per_second"]
    if not measured:
        return ""
    fastest = {way: max(speeds.values()) for way, speeds in measured.items()}
    way = max(fastest, key=lambda name: fastest[name])
    if fastest.get("ours", 0.0) * BETTER >= fastest[way]:
        way = "ours"
    return f"--batch {chosen(measured[way])} --path {PATHS[way]}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    lines = path.read_text("utf8").splitlines() if path.exists() else []
    print(arguments([json.loads(line) for line in lines]))
