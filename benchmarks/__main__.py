"""python -m benchmarks [NAME ...]: measure, write results.json, print the table, draw the plot."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, material, plan, plots, results, table
from benchmarks.pairs import HERE, PYTHON
from benchmarks.sizes import Sizes
from ulmfit.errors import InputError

WORK = HERE.parent / "build" / "benchmarks"  # texts, ids, weights, saved models: git-ignored
BUSY = 0.1  # of the cores, by others: the sides take turns, but a rate is too low


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """As they stand on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(plan.BENCHMARKS))
    imdb = Path("../shared/data/imdb")
    parser.add_argument("--imdb", type=Path, default=imdb, help=f"IMDb's folder, else {imdb}")
    parser.add_argument("--quick", action="store_true", help="small models, to see that all runs")
    parser.add_argument("--fresh", action="store_true", help="begin again, not where it stopped")
    parser.add_argument("--plan", action="store_true", help="say what would be done, and stop")
    parser.add_argument("--report", action="store_true", help="print the table, measure nothing")
    return parser.parse_args(given)


def main(asked: argparse.Namespace) -> None:
    """Do what the command line asks.

    Raises:
        InputError: no such benchmark, no IMDb, no peers, or results.json is not ours.
    """
    work = WORK / ("quick" if asked.quick else "whole")
    path = work / "results.json" if asked.quick else HERE / "results.json"
    if asked.report:
        print(table.markdown(results.read(path)))
        return
    pending = plan.Pending(work / "pending.json")
    todo = _todo(asked, pending)
    if asked.quick:
        print("a check that these run:", ", ".join(b.name for b in todo), flush=True)
    else:
        print(*plan.lines(todo, results.read(path)), sep="\n", flush=True)
    if asked.plan:
        return
    if not Path(PYTHON["peers"]).exists():
        raise InputError("the peers are not installed: `make bench` does it")
    if asked.fresh:
        shutil.rmtree(work, ignore_errors=True)
    sizes = Sizes.quick() if asked.quick else Sizes()
    material.make(work, asked.imdb, sizes)
    if not asked.names and not pending.names():
        pending.begin()
    measure(todo, work, sizes, path, pending)
    found = results.read(path)
    plots.draw(found, path.with_name("growth.png"))
    print(table.markdown(found))
    if missing := results.missing(found):
        print("not measured yet:", ", ".join(missing))


def _todo(asked: argparse.Namespace, pending: plan.Pending) -> list[plan.Benchmark]:
    if asked.names:
        return plan.chosen(asked.names)
    left = [] if asked.fresh else pending.names()
    if left:
        print("going on where the last run stopped; --fresh begins again")
    return plan.chosen(left or list(plan.BENCHMARKS))


def _busy_note() -> list[str]:
    busy = machine.busy_share()
    if busy is None or busy < BUSY:
        return []
    note = f"other programs used {busy:.0%} of the machine when this began: rates are too low"
    print(note, flush=True)
    return [note]


def measure(
    todo: Sequence[plan.Benchmark],
    work: Path,
    sizes: Sizes,
    path: Path,
    pending: plan.Pending,
) -> None:
    """One benchmark after the other; each is in the file when the next begins."""
    here = machine.facts()
    print(f"{here['cpu']}, {here['cores']} cores; {here['bf16']}", flush=True)
    for benchmark in todo:
        note, started = _busy_note(), time.perf_counter()
        outcome = benchmark.run(work, sizes)
        outcome.notes += note
        seconds = round(time.perf_counter() - started)
        about = {"seconds": seconds, "rounds": 1 if benchmark.once else sizes.rounds}
        found = results.updated(
            results.read(path), benchmark.name, outcome, here, precision=here["bf16"], **about
        )
        results.store(path, found)
        pending.done(benchmark.name)
        told = ", ".join(f"{key} {spread}" for key, spread in outcome.figures.items())
        print(f"{benchmark.name} in {seconds} s: {told}", flush=True)


if __name__ == "__main__":
    try:
        main(arguments())
    except InputError as error:
        sys.exit(f"benchmarks: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"benchmarks: {error}\n{(error.stderr or '')[-2000:]}")
