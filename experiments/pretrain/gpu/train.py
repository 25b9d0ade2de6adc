"""Train one direction of a language model within a time, whatever fails on the way.

    python train.py data out --direction forward --seconds 480

`data` is what unpack.py wrote. `out` gets `forward-pieces/`: weights in files of at most 16 MiB,
written anew every minute, which join.py makes a bundle of. Pieces that stand in `out` already are
gone on with; where there are none, those that `--resume` names are. Each line of the output is
one JSON object.

The work is done by a process of its own. Where that dies or says nothing for long, the next one
goes on from the last pieces with something simpler: half the rate where the loss diverged, half
the batch where memory was short, else cuDNN's LSTM, and then steps that are not recorded.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from supervising import DIVERGED, MEMORY, REFUSED, How, supervise

if TYPE_CHECKING:
    from attempt import Attempt


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    p.add_argument("data", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--direction", choices=("forward", "backward"), default="forward")
    p.add_argument("--seconds", type=float, required=True, help="for all, measuring included")
    p.add_argument("--reserve", type=float, default=15.0, help="of them, for measuring at the end")
    p.add_argument("--embedding", type=int, default=400)
    p.add_argument("--hidden", type=int, default=1152)
    p.add_argument("--layers", type=int, default=3)
    p.add_argument("--batch", type=int, help="rows; without it, the resumed one's or a trial's")
    p.add_argument("--rate", type=float, default=4e-3, help="peak, at a batch of 64")
    p.add_argument("--dropout", type=float, default=0.5, help="times the scripts'")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="auto")
    p.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    p.add_argument("--storage", choices=("fp32", "bf16", "int8"), default="bf16")
    p.add_argument("--checkpoint-seconds", type=float, default=60.0)
    p.add_argument("--resume", type=Path, help="pieces to go on from, where `out` has none")
    p.add_argument("--path", choices=("steps", "native"), default="steps", help="of the LSTM")
    p.add_argument("--no-record", action="store_true", help="launch each kernel by itself")
    p.add_argument("--attempt", help=argparse.SUPPRESS)
    return p


def main() -> int:
    """Attempts, one simpler than the other, until one ends well or the time is up."""
    asked = parser().parse_args()
    deadline = time.monotonic() + asked.seconds
    if asked.attempt is not None:
        return worker(asked, deadline)
    whole = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])

    def command(how: How, seconds: float) -> list[str]:
        given = [sys.executable, __file__, *sys.argv[1:], *how.arguments()]
        return [*given, "--seconds", str(seconds), "--attempt", whole]

    how = How(asked.rate, asked.batch, asked.path, not asked.no_record)
    return supervise(command, how, deadline)


def worker(asked: argparse.Namespace, deadline: float) -> int:
    """One attempt; what it needs is loaded here, so that the first process stays small."""
    import torch
    from attempt import Attempt, Diverged
    from events import say
    from making import Asked

    from ulmfit.errors import InputError

    given = vars(asked)
    sizes = {name: given[name] for name in Asked.__dataclass_fields__ if name in given}
    what = Asked(**sizes, record=not asked.no_record)
    end = asked.reserve, asked.storage, asked.checkpoint_seconds
    try:
        _run(Attempt(what, asked.out, deadline, *end, asked.attempt), asked)
    except InputError as error:
        say("refused", why=str(error))
        return REFUSED
    except Diverged as error:
        say("diverged", why=str(error))
        return DIVERGED
    except torch.OutOfMemoryError as error:
        say("memory", why=str(error).splitlines()[0])
        return MEMORY
    return 0


def _run(work: Attempt, asked: argparse.Namespace) -> None:
    """From the pieces that there are, or from the beginning."""
    import pieces
    from events import say

    own = (work.pieces / pieces.STATE).exists()
    source = work.pieces if own else asked.resume
    weights, begun = pieces.join(source) if source else (None, None)
    if begun:
        say("resumed", pieces=str(source), share=round(begun["share"], 4), seen=begun["seen"])
    batch = work.batch(asked.batch or (begun["batch"] if begun else None))
    work.train(batch, begun, weights)


if __name__ == "__main__":
    sys.exit(main())
