"""An unfinished pretraining, small enough to commit: `pack` it, `unpack` it on another machine.

    python experiments/pretrain/state.py pack runs/en-mini.run/forward STATE
    python experiments/pretrain/state.py unpack STATE runs/en-mini.run/forward

What is kept: weights as int8 rows, random states, hidden states, the position in data and
schedule, and the records. What is lost: Adam's moments, which fill again within some hundred
steps. So a run that goes on from here is not the same to the byte, and its log says where it was
packed.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

from ulmfit.compact import pack, unpack
from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint

CHECKPOINT, RECORDS = "checkpoint.safetensors", "records.jsonl"


def main() -> None:
    """Pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("pack", "unpack"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    asked = parser.parse_args()
    asked.target.mkdir(parents=True, exist_ok=True)
    state = load_checkpoint(asked.source / CHECKPOINT)
    if asked.verb == "pack":
        state = state | {"model": pack(state["model"], "int8"), "optimizer": {}}
        records = (asked.source / RECORDS).read_bytes()[: state["run"]["records_bytes"]]
        (asked.target / f"{RECORDS}.gz").write_bytes(gzip.compress(records, mtime=0))
    else:
        state["model"] = unpack(state["model"])
        records = gzip.decompress((asked.source / f"{RECORDS}.gz").read_bytes())
        (asked.target / RECORDS).write_bytes(records)
    save_checkpoint(asked.target / CHECKPOINT, state)


if __name__ == "__main__":
    main()
