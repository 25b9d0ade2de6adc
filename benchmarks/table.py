"""results.json -> Markdown, as the README shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.plan import BENCHMARKS

Sides = Mapping[str, Mapping[str, Any]]

RATIOS = {  # key -> what is compared, ours as told, the part, our side, fastai's side
    "tokenise_ratio": ("tokenising, two workers", "tokenise", "ours", "fastai"),
    "lm_train_ratio": (
        "language model, training step, batch 64",
        *("lm-train", "ours, batch 64", "fastai, batch 64"),
    ),
    "lm_train_128_ratio": (
        "the same, batch 128",
        *("lm-train", "ours, batch 128", "fastai, batch 128"),
    ),
    "lm_train_sampled_ratio": (
        "the same, batch 64, `--softmax sampled`",
        *("lm-train", "ours, sampled, batch 64", "fastai, batch 64"),
    ),
    "classifier_train_ratio": (
        "classifier, training, all layers",
        *("classifier-train", "ours, all layers", "fastai, all layers"),
    ),
    "classifier_train_frozen_ratio": (
        "classifier, training, head only",
        *("classifier-train", "ours, head only", "fastai, head only"),
    ),
    "predict_ratio": ("prediction, the same architecture", "predict", "ours, fp32", "fastai"),
    "predict_int8_ratio": ("the same, int8", "predict", "ours, int8", "fastai"),
    "predict_default_ratio": ("prediction by default, from text", "default", "ours", "fastai"),
    "predict_default_fp32_ratio": ("the same, fp32", "default", "ours, fp32", "fastai"),
    "single_text_ratio": (
        "one text of 100 words, the same architecture, int8",
        *("single", "ours, int8, from ids", "fastai, from ids"),
    ),
    "single_default_ratio": (
        "one text of 100 words by default, from text",
        *("single", "ours, from text", "fastai, from text"),
    ),
    "start_ratio": ("a new process to its first answer", "start", "ours", "fastai"),
}
SINGLE = {
    "single_text_ms": ("one text of 100 words, default model", "ms"),
    "load_s": ("loading a bundle", "s"),
    "help_s": ("`ulmfit --help`", "s"),
    "gemm_share": ("training step: share of the machine's matrix rate", ""),
    "single_bandwidth_share_int8": ("one text, int8: share of the memory's rate", ""),
    "length_exponent": ("cost against length: exponent", ""),
    "corpus_exponent": ("cost against corpus size: exponent", ""),
    "tokenise_memory_growth": ("tokenising: peak memory, largest input over smallest", ""),
}
SYSTEMS = ("ours", "ours, fp32", "fastai", "TF-IDF", "MiniLM", "fastText")


def markdown(results: Mapping[str, Any]) -> str:
    """All tables, and under them what a reader must know."""
    if not results:
        return "nothing is measured yet: make bench"
    blocks = [_machine(results), _ratios(results), _systems(results["parts"]), _single(results)]
    return "\n\n".join([*(block for block in blocks if block), _notes(results["parts"])])


def _machine(results: Mapping[str, Any]) -> str:
    told = results["machine"]
    dates = sorted(part["date"][:10] for part in results["parts"].values())
    every = [part["rounds"] for name, part in results["parts"].items() if not BENCHMARKS[name].once]
    rounds = min(every, default=1)
    packages = [f"{n} {v}" for n, v in {**told["ours"], **told["peers"]}.items() if v]
    sets = ", ".join(told["instruction_sets"])
    return (
        f"{told['cpu']}, {told['cores']} cores ({sets}), {dates[-1]}; "
        f"{', '.join(packages)}. {told['bf16']}. "
        f"Medians of {rounds} rounds in which the sides took turns, least to most in brackets."
    )


def _ratios(results: Mapping[str, Any]) -> str:
    rows = []
    for key, (what, part, ours, theirs) in RATIOS.items():
        if key in results:
            sides = results["parts"][part]["sides"]
            rates = [_rate(sides[side]) for side in (_taken(sides, ours), theirs)]
            rows.append([what, *rates, f"**{figure(results[key])}** {_spread(results, key)}"])
    return _table(["what", "ulmfit", "fastai", "times as fast"], rows)


def _taken(sides: Sides, name: str) -> str:
    """The bf16 side where there is one."""
    return name.replace("fp32", "bf16") if name.replace("fp32", "bf16") in sides else name


def _rate(side: Mapping[str, Any]) -> str:
    if "tokens_per_second" in side:
        return f"{figure(side['tokens_per_second'])} tokens/s"
    return f"{figure(side['median'])} {side['unit']}"


def _systems(parts: Mapping[str, Any]) -> str:
    """Each system as a user gets it: training, prediction, memory, start."""
    default, start = _sides(parts, "default"), _sides(parts, "start")
    rows = [
        [
            name,
            _learning(parts, name),
            _median(default.get(name)),
            figure(default[name]["peak_mb"]),
            _median(start.get(name)),
        ]
        for name in SYSTEMS
        if name in default
    ]
    head = ["system", "learns, documents/s", "predicts, documents/s", "memory, MB", "start, s"]
    return _table(head, rows)


def _learning(parts: Mapping[str, Any], name: str) -> str:
    if name in ("ours", "fastai"):
        told = _sides(parts, "classifier-train").get(f"{name}, all layers")
        return f"{_median(told)} an epoch" if told else ""
    told = _sides(parts, "fit").get(name)
    return f"{_median(told)} in all" if told else ""


def _sides(parts: Mapping[str, Any], name: str) -> Sides:
    sides: Sides = parts.get(name, {}).get("sides", {})
    return sides


def _median(side: Mapping[str, Any] | None) -> str:
    return figure(side["median"]) if side else ""


def _single(results: Mapping[str, Any]) -> str:
    rows = [
        [what, f"{figure(results[key])} {unit}".strip(), _spread(results, key)]
        for key, (what, unit) in SINGLE.items()
        if key in results
    ]
    return _table(["what", "ulmfit", "least to most"], rows)


def _notes(parts: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {note}" for name, part in parts.items() for note in part["notes"])


def _spread(results: Mapping[str, Any], key: str) -> str:
    least, most = results["spread"][key]
    return f"({figure(least)} to {figure(most)})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value: float) -> str:
    """Three digits, and no more decimals than they need."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
