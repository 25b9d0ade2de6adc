"""Prediction: the same architecture, what a user gets, and one text alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import why_precision
from benchmarks.material import WEIGHTS, WORDS
from benchmarks.measured.systems import all_systems, doing, make_saved
from benchmarks.pairs import Answers, Side, Spread, measure, rates, ratio
from benchmarks.results import Outcome
from benchmarks.sizes import Sizes
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pretrained import FASTER

BYTES = {"fp32": 4, "int8": 1}


def predict(folder: Path, sizes: Sizes) -> Outcome:
    """The papers' architecture, the same weights and ids on both sides, IMDb's test reviews."""
    precision, why = why_precision()
    sides = {"fastai": Side("fastai_predict", "peers", _shared(batch=sizes.predict[1]))}
    for name in dict.fromkeys(["fp32", precision, "int8"]):
        sides[f"ours, {name}"] = Side("ours_predict", options=_shared(precision=name))
    answers = measure(sides, folder, sizes.rounds)
    outcome = Outcome(notes=[f"predict_ratio is of ours in {why}"])
    for name, told in answers.items():
        agrees = {} if name == "fastai" else agreement(told, answers["fastai"])
        outcome.add_side(name, told, "documents/s", **agrees)
    theirs = answers["fastai"]
    outcome.figures["predict_ratio"] = ratio(answers[f"ours, {precision}"], theirs)
    outcome.figures["predict_int8_ratio"] = ratio(answers["ours, int8"], theirs)
    return outcome


def _shared(**more: Any) -> dict[str, Any]:
    return {"weights": WEIGHTS, **more}


def agreement(ours: Answers, theirs: Answers) -> dict[str, float]:
    """How far two sides' probabilities lie apart, and how often they decide the same."""
    mine, other = np.array(ours[-1]["answers"]), np.array(theirs[-1]["answers"])
    if len(mine) != len(other):
        raise RuntimeError(f"{len(mine)} answers on one side, {len(other)} on the other")
    same = float(((mine >= 0.5) == (other >= 0.5)).mean())
    return {"largest_difference": float(np.abs(mine - other).max()), "same_decision": same}


def default(folder: Path, sizes: Sizes) -> Outcome:
    """What a user gets: texts in, probabilities out, each system as it comes."""
    systems = all_systems()
    make_saved(folder, sizes, systems)
    answers = measure(doing(systems, "answer"), folder, sizes.rounds)
    outcome = Outcome(
        notes=[
            f"ours: {FASTER} in what --precision auto takes, and in fp32; a CPU that is fast in "
            "int8 takes that where training found the model to answer alike in it, as IMDb's do; "
            "fastai: AWD-LSTM 400/1152/3, fp32; "
            "tokenising counts on every side; MiniLM reads the first 256 word pieces of a text"
        ]
    )
    for name, told in answers.items():
        outcome.add_side(name, told, "documents/s")
        key = "predict_default_ratio" if name == "ours" else f"predict_{_key(name)}_ratio"
        if name != "fastai":
            outcome.figures[key] = ratio(told, answers["fastai"])
    return outcome


def _key(name: str) -> str:
    return {"ours, fp32": "default_fp32"}.get(name, name.lower().replace("-", ""))


def single(folder: Path, sizes: Sizes) -> Outcome:
    """One text of 100 words alone: the same architecture from ids, and systems from the text."""
    outcome = Outcome(
        notes=[
            "single_text_ratio: the papers' architecture, 100 ids, int8 against fastai's bare "
            f"model in fp32; single_text_ms: {FASTER} from the text, {WORDS} words; "
            "shares are of the recurrent weights read at every step, which a cache may hold, "
            "over the memory's own rate"
        ]
    )
    _same_architecture(folder, sizes, outcome)
    systems = all_systems()
    make_saved(folder, sizes, systems)
    answers = measure(doing(systems, "answer_alone", texts=sizes.single), folder, sizes.rounds)
    for name, told in answers.items():
        outcome.add_side(f"{name}, from text", told, "texts/s")
    outcome.figures["single_text_ms"] = milliseconds(answers["ours"])
    outcome.figures["single_default_ratio"] = ratio(answers["ours"], answers["fastai"])
    return outcome


def _same_architecture(folder: Path, sizes: Sizes, outcome: Outcome) -> None:
    asked = _shared(texts=sizes.single)
    sides = {
        **{f"ours, {p}": Side("ours_alone", options={**asked, "precision": p}) for p in BYTES},
        "fastai": Side("fastai_alone", "peers", asked),
        "bandwidth": Side("bandwidth"),
    }
    answers = measure(sides, folder, sizes.rounds)
    for name, told in answers.items():
        if name != "bandwidth":
            outcome.add_side(f"{name}, from ids", told, "texts/s")
    for precision, size in BYTES.items():
        told = answers[f"ours, {precision}"]
        weights = size * recurrent_weights(sizes.architecture) * WORDS
        pairs = zip(rates(told), rates(answers["bandwidth"]), strict=True)
        shares = [texts * weights / read for texts, read in pairs]
        outcome.figures[f"single_bandwidth_share_{precision}"] = Spread.of(shares)
    outcome.figures["bandwidth_gb_s"] = Spread.of([r / 1e9 for r in rates(answers["bandwidth"])])
    outcome.figures["single_text_ratio"] = ratio(answers["ours, int8"], answers["fastai"])
    outcome.figures["single_text_fp32_ratio"] = ratio(answers["ours, fp32"], answers["fastai"])


def recurrent_weights(sizes: Architecture) -> int:
    """Numbers that every step of one text has to read again."""
    return sum(4 * units * units for _, units in sizes.layer_sizes())


def milliseconds(answers: Answers) -> Spread:
    """Of one piece of work."""
    return Spread.of([1000 / rate for rate in rates(answers)])
