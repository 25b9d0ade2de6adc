"""Compiled code on every core: by the threads of PyTorch's own loops, else by new ones."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import byref, c_long
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

RUNTIMES = ("libgomp", "libiomp5", "libomp")
"""OpenMP as files are called: each has GOMP_parallel on Linux"""
_BORN = os.getpid()


def share(
    code: ctypes.CDLL,
    part: str,
    arguments: ctypes.Structure,
    count: int,
    one_by_one: bool = False,
) -> None:
    """Call `part(&arguments, first, how many)` for contiguous parts of `count`, one a core.

    Args:
        code: has the function `part`, and includes share.h.
        part: touches nothing that belongs to others' parts.
        arguments: the same for all.
        count: how much there is to do.
        one_by_one: in `count` parts instead, which the cores take as they have time: where a
            part is much work, and a core may be slower than others.
    """
    work, threads = getattr(code, part), min(torch.get_num_threads(), count)
    if threads < 2:
        work(byref(arguments), c_long(0), c_long(count))
    elif (team := pytorchs_team()) is not None:
        parts = count if one_by_one else threads
        code.share(team, work, byref(arguments), *map(c_long, (count, parts, threads)))
    else:
        _by_new_threads(lambda *some: work(byref(arguments), *map(c_long, some)), count, threads)


def pytorchs_team() -> Callable[..., Any] | None:
    """What runs a function on every thread that PyTorch's loops have; None: it is not found.

    A process that was forked has none of its parent's threads, and OpenMP waits for them. (One
    that was forked from where PyTorch had computed, and imports this only then, is not told
    apart; PyTorch's own loops wait forever there, too.)
    """
    return _parallel() if os.getpid() == _BORN else None


@cache
def _parallel() -> Callable[..., Any] | None:
    """GOMP_parallel of the OpenMP that PyTorch brought; else of the only one in this process."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    files = {Path(line.split(maxsplit=5)[5]) for line in lines if "/" in line}
    found = sorted(file for file in files if file.name.startswith(RUNTIMES))
    brought = [file for file in found if Path(torch.__file__).parent in file.parents]
    chosen = brought or found
    try:
        return ctypes.CDLL(str(chosen[0])).GOMP_parallel if len(chosen) == 1 else None
    except (OSError, AttributeError):
        return None


def _by_new_threads(work: Callable[[int, int], None], count: int, threads: int) -> None:
    cuts = [count * i // threads for i in range(threads + 1)]
    (first, *others) = [(start, end - start) for start, end in pairwise(cuts)]
    # Not kept for the next call: a process that is forked between would wait for it forever.
    with ThreadPoolExecutor(threads - 1) as pool:
        running = [pool.submit(work, *some) for some in others]
        work(*first)
        for done in running:
            done.result()
