"""What a training step spends its time on: torch's profiler over a few steps, as a table.

    python profile_step.py data --batch 256 [--path native] [--out table.txt]

Steps are launched kernel by kernel here, so look at the device's times: a recorded step has the
same kernels without the gaps between them, and the last line compares the two.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from making import Asked, Maker
from speed import tokens_per_second
from torch.profiler import ProfilerActivity, profile

from ulmfit.device import is_accelerator, pick_device

STEPS, ROWS = 3, 40


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=1152)
    parser.add_argument("--embedding", type=int, default=400)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--path", choices=("steps", "native"), default="steps")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sizes = {name: getattr(asked, name) for name in ("embedding", "hidden", "layers")}
    what = Asked(asked.data, **sizes, device=asked.device, path=asked.path)
    table = profiled(Maker(what), asked.batch)
    print(table)
    if asked.out:
        asked.out.write_text(table + "\n")


def profiled(maker: Maker, batch: int) -> str:
    """Kernels by their time, and tokens/s as they are and recorded."""
    on_gpu = is_accelerator(pick_device(maker.asked.device))
    loop = maker.loop(batch)[0]
    loop.record = False
    run = loop.run()
    list(islice(run, STEPS))
    kinds = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if on_gpu else [])
    with profile(activities=kinds) as seen:
        list(islice(run, STEPS))
    run.close()
    by = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    table: str = seen.key_averages().table(sort_by=by, row_limit=ROWS, max_name_column_width=70)
    apart = tokens_per_second(loop)
    recorded = tokens_per_second(maker.loop(batch)[0])
    return f"{table}\ntokens/s: {apart:,.0f} launched one by one, {recorded:,.0f} as trained"


if __name__ == "__main__":
    main()
