"""Train one direction of a language model within a time, whatever fails on the way.

    python train.py data out --direction forward --seconds 480

`data` is what unpack.py wrote. `out` gets `forward-pieces/`: weights in files of at most 16 MB,
written anew every minute, from which `--resume` goes on and join.py makes a bundle. Each line of
the output is one JSON object; a minute is one line.

The work is done by a process of its own. Where that dies (memory, a kernel, the driver), the next
one goes on from the last pieces with something simpler: half the batch, then cuDNN's LSTM, then
steps that are not recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

FALLBACKS = (
    [],
    ["--halve-batch"],
    ["--halve-batch", "--path", "native"],
    ["--halve-batch", "--path", "native", "--no-record"],
)
LEAST = 20.0  # seconds: with less left another attempt is not begun
HANGING = 60.0  # seconds past its time after which an attempt is ended


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("data", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--direction", choices=("forward", "backward"), default="forward")
    p.add_argument("--seconds", type=float, required=True, help="for all, measuring included")
    p.add_argument("--reserve", type=float, default=15.0, help="of them, for measuring at the end")
    p.add_argument("--embedding", type=int, default=400)
    p.add_argument("--hidden", type=int, default=1152)
    p.add_argument("--layers", type=int, default=3)
    p.add_argument("--batch", type=int, help="rows; without it, found by trial")
    p.add_argument("--rate", type=float, default=4e-3, help="peak, at a batch of 64")
    p.add_argument("--dropout", type=float, default=0.5, help="times the scripts'")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="auto")
    p.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    p.add_argument("--storage", choices=("fp32", "bf16", "int8"), default="bf16")
    p.add_argument("--checkpoint-seconds", type=float, default=60.0)
    p.add_argument("--resume", type=Path, help="pieces to go on from")
    p.add_argument("--path", choices=("steps", "native"), default="steps", help="of the LSTM")
    p.add_argument("--no-record", action="store_true", help="launch each kernel by itself")
    p.add_argument("--halve-batch", action="store_true", help="of --resume's or the trial's")
    p.add_argument("--attempt", action="store_true", help=argparse.SUPPRESS)
    return p


def main() -> int:
    """Attempts, one simpler than the other, until one ends well or the time is up."""
    asked = parser().parse_args()
    deadline = time.monotonic() + asked.seconds
    if asked.attempt:
        attempt(asked, deadline)
        return 0
    own = asked.out / f"{asked.direction}-pieces" / "state.json"
    for fallback in FALLBACKS:
        left = deadline - time.monotonic()
        if left < LEAST:
            break
        resume = ["--resume", str(own.parent)] if own.exists() and fallback else []
        command = [sys.executable, __file__, *sys.argv[1:], "--attempt", "--seconds", str(left)]
        with contextlib.suppress(subprocess.TimeoutExpired):  # a device that hangs
            done = subprocess.run([*command, *resume, *fallback], timeout=left + HANGING)
            if done.returncode == 0:
                return 0
        print(json.dumps({"event": "failed", "fallback": fallback}), flush=True)
    return 1


def attempt(asked: argparse.Namespace, deadline: float) -> None:
    """The work itself; what it needs is loaded here, so that the first process stays small."""
    import pieces
    from attempt import Attempt
    from making import Asked

    from ulmfit.model import lstm
    from ulmfit.training.loop import Loop

    lstm.ON_GPU = asked.path
    if asked.no_record:
        Loop.records = property(lambda self: False)  # type: ignore[method-assign,assignment]
    what = Asked(
        data=asked.data,
        direction=asked.direction,
        embedding=asked.embedding,
        hidden=asked.hidden,
        layers=asked.layers,
        rate=asked.rate,
        dropout=asked.dropout,
        seed=asked.seed,
        device=asked.device,
        precision=asked.precision,
    )
    work = Attempt(
        what, asked.out, deadline, asked.reserve, asked.storage, asked.checkpoint_seconds
    )
    weights, begun = pieces.join(asked.resume) if asked.resume else (None, None)
    batch = work.batch(begun["batch"] if begun else asked.batch)
    if asked.halve_batch:
        batch = max(1, batch // 2)
    work.train(batch, begun, weights)


if __name__ == "__main__":
    sys.exit(main())
