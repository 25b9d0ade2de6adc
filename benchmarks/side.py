"""One side of a comparison: prepares once, then times one piece of work a line it reads.

Run in the environment of the side that is measured (ours, or the peers'):
    python side.py MODULE FOLDER OPTIONS
where `sides/MODULE.py` has `prepare(folder, options)`, which returns a function that does the work
and returns {"work": how much, "seconds": how long, ...}.
"""

import importlib
import json
import os
import sys
import time
import warnings
from pathlib import Path


def peak_megabytes() -> float:
    """The most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        told = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(told["VmHWM"].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    module, folder, options = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(__file__).parent / "sides"))
    work = importlib.import_module(module).prepare(Path(folder), json.loads(options))
    print(json.dumps({"ready": True}), file=out, flush=True)
    for _ in sys.stdin:
        before = time.process_time()
        answer = work()
        spent = {"cpu_seconds": time.process_time() - before, "peak_mb": peak_megabytes()}
        print(json.dumps({**answer, **spent}), file=out, flush=True)


if __name__ == "__main__":  # worker processes of a side import this file again
    main()
