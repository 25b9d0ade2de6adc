"""Cost against the length of a document and the size of a corpus: it must be linear."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.material import WEIGHTS
from benchmarks.measured.systems import all_systems, make_saved
from benchmarks.pairs import Answers, Side, Spread, measure
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes
from ulmfit.pretrained import FASTER

KINDS = ("by_length", "by_corpus")


def growth(folder: Path, sizes: Sizes) -> Outcome:
    """Prediction from ids in fp32: ours with the default model, fastai's with the papers'."""
    make_saved(folder, sizes, {"ours": all_systems()["ours"]})
    ours = {"lengths": sizes.lengths, "corpora": sizes.corpora}
    theirs = {"lengths": sizes.fastai_lengths, "corpora": sizes.fastai_corpora}
    theirs |= {"weights": WEIGHTS, "batch": sizes.predict[1]}
    sides = {
        "ours": Side("ours_growth", options=ours),
        "fastai": Side("fastai_growth", "peers", theirs),
    }
    answers = measure(sides, folder, sizes.rounds)
    outcome = Outcome(notes=[f"ours: {FASTER}; exponent 1 is linear, of the largest two sizes"])
    for name, told in answers.items():
        curves = {kind: curve(told, kind) for kind in KINDS}
        outcome.add_side(name, told, "tokens/s", **curves)
    for kind, key in zip(KINDS, ("length_exponent", "corpus_exponent"), strict=True):
        rounds = [exponent(answer[kind]) for answer in answers["ours"]]
        outcome.figures[key] = Spread.of(rounds)
    return outcome


def curve(answers: Answers, kind: str) -> dict[str, float]:
    """Tokens -> median of the rounds' seconds."""
    return {size: median(answer[kind][size] for answer in answers) for size in answers[0][kind]}


def exponent(seconds: Mapping[str, float]) -> float:
    """e where seconds grow as tokens to the e, by the largest two sizes."""
    (size, cost), (larger, more) = sorted((float(n), s) for n, s in seconds.items())[-2:]
    return math.log(more / cost) / math.log(larger / size)
