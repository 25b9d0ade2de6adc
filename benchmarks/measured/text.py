"""Tokenising: its rate, and its memory as the input grows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pairs import Answers, Side, Spread, measure, measure_fresh, ratio
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes

WORKERS = 2


def tokenise(folder: Path, sizes: Sizes) -> Outcome:
    """IMDb's reviews with two workers: ours to ids on disk, fastai's to tokens in memory."""
    options = {"texts": sizes.tokenise, "workers": WORKERS}
    sides = {
        "ours": Side("ours_tokenise", options=options),
        "fastai": Side("fastai_tokenise", "peers", options),
    }
    answers = measure(sides, folder, sizes.rounds)
    note = f"{WORKERS} workers, the same {sizes.tokenise:,} texts; ratio of texts/s: tokens differ"
    outcome = Outcome(notes=[note])
    for name, told in answers.items():
        tokens = Spread.of([answer["tokens"] / answer["seconds"] for answer in told])
        outcome.add_side(name, told, "texts/s", tokens_per_second=tokens.median)
        outcome.sides[name]["with_workers_mb"] = round(with_workers(told))
    outcome.figures["tokenise_ratio"] = ratio(answers["ours"], answers["fastai"])
    return outcome


def tokenise_memory(folder: Path, sizes: Sizes) -> Outcome:
    """The most memory that all processes together can have held, by size of the input.

    Once each, in a new process: memory does not vary as time does. IMDb's reviews are read again
    and again, their longer words made new ones each time, so that new words never end.
    """
    outcome = Outcome()
    held = []
    for size in sizes.megabytes:
        side = Side("ours_tokenise", options={"megabytes": size, "workers": WORKERS})
        (answer,) = measure_fresh({"ours": side}, folder, 1, warm=0)["ours"]
        held.append(with_workers([answer]))
        outcome.add_side(f"{size} MB", [answer], "texts/s", with_workers_mb=round(held[-1]))
    outcome.figures["tokenise_memory_growth"] = Spread.of([held[-1] / held[0]])
    least, most = sizes.megabytes[0], sizes.megabytes[-1]
    outcome.notes.append(f"growth: peak at {most} MB of text over peak at {least} MB")
    return outcome


def with_workers(answers: Answers) -> float:
    """Megabytes of the main process and, at most, of its workers."""
    return max(answer["peak_mb"] + WORKERS * answer["worker_mb"] for answer in answers)
