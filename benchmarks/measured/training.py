"""Training: the language model's step, the classifier's epoch, what the other systems learn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from benchmarks.machine import cores, why_precision
from benchmarks.material import WEIGHTS
from benchmarks.measured.systems import PEERS, installed
from benchmarks.pairs import Answers, Side, Spread, measure, rates, ratio
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes
from ulmfit.model.awd_lstm import Architecture

BPTT = 70
CLIP = 0.25
GEMM_TIMES = 12  # of one product, of which the fastest counts


def lm_train(folder: Path, sizes: Sizes) -> Outcome:
    """The papers' language model, full softmax, batches of 64 and 128 rows of 70."""
    outcome = Outcome(notes=[_precision_note()])
    for batch, windows in ((64, sizes.windows), (128, max(1, sizes.windows // 2))):
        answers = measure(_lm_sides(sizes, batch, windows), folder, sizes.rounds, warm=sizes.warm)
        for name, told in answers.items():
            if name != "gemm":
                outcome.add_side(f"{name}, batch {batch}", told, "tokens/s")
        found = ratio(answers["ours"], answers["fastai"])
        if batch == 64:
            outcome.figures |= {
                "lm_train_ratio": found,
                "lm_train_sampled_ratio": ratio(answers["ours, sampled"], answers["fastai"]),
                "gemm_share": gemm_share(answers["ours"], answers["gemm"], sizes.architecture),
                "gemm_gflops": Spread.of([rate / 1e9 for rate in rates(answers["gemm"])]),
            }
        else:
            outcome.figures["lm_train_128_ratio"] = found
    return outcome


def _precision_note() -> str:
    precision, why = why_precision()
    more = "" if precision == "bf16" else "; both sides compute the same products at the same rate"
    return f"ours in {why}{more}. fastai in fp32, its default"


def _lm_sides(sizes: Sizes, batch: int, windows: int) -> dict[str, Side]:
    shared = {"batch": batch, "bptt": BPTT, "windows": windows, "clip": CLIP}
    shared |= {"architecture": asdict(sizes.architecture)}
    precision = why_precision()[0]
    ours = {**shared, "precision": precision}
    sides = {
        "ours": Side("ours_lm_train", options={**ours, "softmax": "full"}),
        "fastai": Side("fastai_lm_train", "peers", shared),
    }
    if batch == 64:
        dtype = {"bf16": "bfloat16", "fp32": "float32"}[precision]
        sides["ours, sampled"] = Side("ours_lm_train", options={**ours, "softmax": "sampled"})
        sides["gemm"] = Side("gemm", options={"dtype": dtype, "times": GEMM_TIMES})
    return sides


def operations_per_token(sizes: Architecture) -> int:
    """Of a training step's matrix products: each weight is met forward and twice backward."""
    layers = sum(4 * o * (i + o) for i, o in sizes.layer_sizes())
    return 3 * 2 * (layers + sizes.vocabulary * sizes.embedding)


def gemm_share(training: Answers, gemm: Answers, sizes: Architecture) -> Spread:
    """The part of the machine's rate of one large product that a training step reaches."""
    work = operations_per_token(sizes)
    pairs = zip(rates(training), rates(gemm), strict=True)
    return Spread.of([tokens * work / operations for tokens, operations in pairs])


def classifier_train(folder: Path, sizes: Sizes) -> Outcome:
    """The papers' classifier on IMDb's reviews: all layers learn; only the head learns."""
    outcome = Outcome(notes=[_precision_note()])
    shared = {"weights": WEIGHTS, "batch": sizes.train[1], "clip": CLIP}
    ours = {**shared, "precision": why_precision()[0]}
    for frozen, key, told in (
        (False, "classifier_train_ratio", "all layers"),
        (True, "classifier_train_frozen_ratio", "head only"),
    ):
        sides = {
            "ours": Side("ours_classifier_train", options={**ours, "frozen": frozen}),
            "fastai": Side("fastai_classifier_train", "peers", {**shared, "frozen": frozen}),
        }
        answers = measure(sides, folder, sizes.rounds, warm=sizes.warm)
        outcome.figures[key] = ratio(answers["ours"], answers["fastai"])
        for name in sides:
            outcome.add_side(f"{name}, {told}", answers[name], "documents/s")
    return outcome


def fit(folder: Path, sizes: Sizes) -> Outcome:
    """The systems that learn in one go: TF-IDF, MiniLM, fastText, from text to a saved model."""
    outcome = Outcome(notes=[f"{sizes.fit} texts; MiniLM {sizes.embed}; {cores()} cores"])
    sides = {}
    for name, system in PEERS.items():
        if not installed(system):
            outcome.notes.append(f"{name} is not installed in .venv-peers")
            continue
        texts = sizes.embed if name == "MiniLM" else sizes.fit
        sides[name] = Side("fit", "peers", {"system": system, "texts": texts})
    for name, told in measure(sides, folder, sizes.rounds).items():
        outcome.add_side(name, told, "documents/s")
    return outcome
