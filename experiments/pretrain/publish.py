"""A trained language model -> an embedded one: figures, samples, neighbours, card, curve.

    python experiments/pretrain/publish.py runs/en-small en-small --parts runs/en-mini runs/en-small

measures the model at `runs/en-small` on the WikiText-103 test articles, stores it in 6 bits a
weight (or as `--storage` says) in `src/ulmfit/pretrained/en-small`, measures it again as stored,
and draws its learning curve (data and plot) in `experiments/pretrain/`. The parts are the models
that it was made of, one after the other, the last one itself: their records (training.jsonl) tell
what each direction has read, for how long and on what. Of a part that was published before
(`src/ulmfit/pretrained/en-mini`), whose records are not kept, its provenance and its curve tell
it. Nothing is replaced before all was measured.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import matplotlib
import torch
from safetensors import safe_open

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.compact import BITS, Storage
from ulmfit.errors import InputError
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pipeline.options import Machine, Source
from ulmfit.pipeline.use import generate, perplexity

HERE = Path(__file__).parent
EMBEDDED = HERE.parent.parent / "src" / "ulmfit" / "pretrained"
SOURCE = "English Wikipedia, articles of 2015 and 2021, CC BY-SA 3.0 and 4.0"
PROMPTS = ("The city is", "In 1995 , she", "The film was")
WORDS = ("film", "terrible", "physics", "london", "walked", "seven")
NEIGHBOURS = 6
POINTS = 300  # of a learning curve
MOST_LOST = 0.01  # of the perplexity, by storing weights in fewer bits


@dataclass
class Read:
    """What one direction has read."""

    curve: list[tuple[int, float, float]] = field(default_factory=list)
    """tokens seen, loss (nats) and rate after each step or stretch"""
    tokens: int = 0
    seconds: float = 0.0
    trained: list[dict[str, Any]] = field(default_factory=list)
    """each part's seed and machine, and what else is told of it"""


def main() -> None:
    """Measure, store, measure again, write the card and the curve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trained", type=Path, help="folder of the bundle")
    parser.add_argument("name")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parts", type=Path, nargs="+", help="in order; else the bundle alone")
    parser.add_argument("--storage", choices=get_args(Storage), default="int6")
    parser.add_argument("--embedded", type=Path, default=EMBEDDED)
    parser.add_argument("--curves", type=Path, default=HERE)
    asked = parser.parse_args()
    bundle = _loaded(asked.trained)
    parts = asked.parts or [asked.trained]
    read = {d: _read(parts, bundle, d, asked.curves) for d in bundle.directions}
    bundle = replace(bundle, provenance=_provenance(bundle, asked.name, read))
    test = Source((str(asked.data / "wikitext-103" / "wiki.test.tokens"),))
    full = {d: perplexity(bundle, test, Machine(), d) for d in bundle.directions}
    with tempfile.TemporaryDirectory() as folder:
        bundles.save(bundle, Path(folder) / "stored", "", asked.storage)
        stored = bundles.load(Path(folder) / "stored")
    figures = {d: perplexity(stored, test, Machine(), d) for d in bundle.directions}
    for direction in bundle.directions:
        if (
            lost := figures[direction]["perplexity"] / full[direction]["perplexity"] - 1
        ) > MOST_LOST:
            raise InputError(f"{direction}: stored in {asked.storage} it is {lost:.1%} worse")
    metrics = {**stored.metrics, "wikitext103_test": figures, "wikitext103_test_fp32": full}
    stored = replace(stored, metrics=metrics)
    card = _card(stored, asked.name, asked.storage, figures, full)
    bundles.save(stored, asked.embedded / asked.name, card, asked.storage)
    for direction, had in read.items():
        _draw(had.curve, asked.curves / f"{asked.name}-{direction}")
    print(json.dumps(figures, indent=2))


def _loaded(trained: Path) -> Bundle:
    """The bundle, if its weights are whole: what storing them costs is to be measured."""
    for weights in trained.glob("*.safetensors"):
        with safe_open(weights, "pt") as file:
            kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        if kinds != {"F32"}:
            raise InputError(f"{weights}: stored in less than fp32; pretrain with --storage fp32")
    return bundles.load(trained)


def _read(parts: list[Path], bundle: Bundle, direction: Direction, curves: Path) -> Read:
    """What the parts' records, or else the bundle's provenance (GPU), say of a direction."""
    read, joined = Read(), direction in bundle.provenance.get("directions", {})
    for part in () if joined else parts:
        if (told := _published(part)) is not None:
            _go_on(read, told, curves / f"{part.name}-{direction}.csv", direction)
            continue
        steps, trained = _steps(part, direction)
        for step in steps:
            read.tokens += step["tokens"]
            read.seconds += step["seconds"]
            read.curve.append((read.tokens, step["loss"], max(step["rates"])))
        read.trained += [trained] if steps else []
    if joined:
        told = bundle.provenance["directions"][direction]
        read.tokens, read.seconds = told["tokens_seen"], told["seconds"]
        of_figures = ("tokens_seen", "seconds")
        read.trained = [{key: value for key, value in told.items() if key not in of_figures}]
        history = bundle.metrics[direction]["history"]
        read.curve = [(each["tokens"], each["loss"], each["rate"]) for each in history]
    if not read.curve:
        raise InputError(f"{', '.join(map(str, parts))}: no record of a {direction} model")
    return read


def _published(part: Path) -> dict[str, Any] | None:
    """What a model that this script has written tells of its directions."""
    if (part / "training.jsonl").exists() or not (part / "config.json").exists():
        return None
    found: dict[str, Any] | None = bundles.load(part).provenance.get("directions")
    return found


def _go_on(read: Read, told: dict[str, Any], curve: Path, direction: Direction) -> None:
    """Add what a published model has read in this direction, if it has."""
    if direction not in told:
        return
    with curve.open(newline="", encoding="utf8") as lines:
        points = [
            (int(p["tokens"]), float(p["train_nats"]), float(p["rate"]))
            for p in csv.DictReader(lines)
        ]
    read.curve += [(read.tokens + seen, nats, rate) for seen, nats, rate in points]
    read.tokens += told[direction]["tokens_seen"]
    read.seconds += told[direction]["training_hours"] * 3600
    read.trained += told[direction]["trained"]


def _steps(part: Path, direction: Direction) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The steps of a model's record, and how it was made; of a run's folder its own records."""
    whole, of_run = part / "training.jsonl", part / direction / "records.jsonl"
    if not whole.exists() and not of_run.exists():
        raise InputError(f"{part}: there is neither training.jsonl nor {direction}/records.jsonl")
    steps, trained = [], {}
    for record in _lines(whole if whole.exists() else of_run):
        if record["record"] == "Step" and record.get("direction", direction) == direction:
            steps.append(record)
        elif record["record"] == "Run":
            options = record["options"]
            given = {size: options.get(size) for size in ("embedding", "hidden", "layers")}
            trained = {
                "seed": options["machine"]["seed"],
                "sizes": {size: value for size, value in given.items() if value},
                "machine": " and ".join(dict.fromkeys(map(_machine, record["sessions"]))),
            }
    return steps, trained | ({"tokens": sum(step["tokens"] for step in steps)} if trained else {})


def _machine(session: dict[str, Any]) -> str:
    cores = max(session["cores"], session["threads"])  # a pinned process sees fewer cores
    return f"{cores} core{'s' * (cores > 1)}, {session['cpu']}, {session['precision']}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf8") as lines:
        yield from map(json.loads, lines)


def _provenance(bundle: Bundle, name: str, read: dict[Direction, Read]) -> dict[str, Any]:
    kept: dict[str, Any] = {"corpus": {"source": SOURCE, **bundle.provenance["corpus"]}}
    if (HERE / f"{name}.sh").exists():
        kept["command"] = f"experiments/pretrain/{name}.sh"
    kept["directions"] = {
        direction: {
            "tokens_seen": had.tokens,
            "training_hours": round(had.seconds / 3600, 2),
            "trained": [part for part in had.trained if part],
        }
        for direction, had in read.items()
    }
    return kept


def _card(
    bundle: Bundle,
    name: str,
    storage: Storage,
    figures: dict[Direction, Any],
    full: dict[Direction, Any],
) -> str:
    rest = language_model_card(bundle).split("\n", 1)[1]
    kept = f"{BITS[storage]} bits a weight" if storage in BITS else storage
    lines = [f"# {name}: a language model of English", rest.rstrip(), ""]
    lines += ["## WikiText-103 test articles", "", f"As stored ({kept}) and in fp32:", ""]
    columns = ("nats a token", "perplexity", "word perplexity", "in fp32", "bits a byte", "unknown")
    lines.append(f"| direction | {' | '.join(columns)} |")
    lines.append("|---" * 7 + "|")
    for d, f in figures.items():
        lines.append(
            f"| {d} | {f['nats_per_token']:.4f} | {f['perplexity']:.2f} | "
            f"{f['word_perplexity']:.2f} | {full[d]['word_perplexity']:.2f} | "
            f"{f['bits_per_byte']:.3f} | {f['oov_rate']:.1%} |"
        )
    lines += ["", "## Nearest words", "", "By the angle between embedding rows:", ""]
    first, tokens = bundle.directions[0], set(bundle.encoder.vocab.tokens)
    lines += [f"- {w}: {', '.join(_nearest(bundle, first, w))}" for w in WORDS if w in tokens]
    lines += ["", "## What it writes", "", "Temperature 0.7, seed 0, 40 tokens:", ""]
    for d in bundle.directions:
        lines += [f"- {d}: {_written(bundle, prompt, d)}" for prompt in PROMPTS]
    lines += ["", "## How it was trained", ""]
    for d, had in bundle.provenance["directions"].items():
        spent = (
            f"{had['tokens_seen'] / 1e6:.1f} million tokens in {had['training_hours']:.1f} hours"
        )
        lines.append(f"- {d}: {spent}; its curve: experiments/pretrain/{name}-{d}.csv")
        lines += [f"  - {_part(part)}" for part in had["trained"]]
    lines += ["", "## Licence", "", f"Trained on {SOURCE}; the weights are given under the same."]
    return "\n".join([*lines, ""])


def _part(told: dict[str, Any]) -> str:
    """One part's training in words."""
    sizes = told.get("sizes") or {}
    said = [", ".join(f"{size} {value}" for size, value in sizes.items())] if sizes else []
    if "tokens" in told:
        said.append(f"{told['tokens'] / 1e6:.1f} million tokens")
    said += [f"{key} {told[key]}" for key in ("seed", "machine") if key in told]
    return "; ".join(said)


def _nearest(bundle: Bundle, direction: Direction, word: str) -> list[str]:
    rows = bundle.weights[direction]["encoder.embedding"]
    tokens = bundle.encoder.vocab.tokens
    unit = torch.nn.functional.normalize(rows, dim=1)
    best = (unit @ unit[tokens.index(word)]).topk(NEIGHBOURS + 1).indices.tolist()
    return [tokens[i] for i in best if tokens[i] != word][:NEIGHBOURS]


def _written(bundle: Bundle, prompt: str, direction: Direction) -> str:
    text = generate(bundle, prompt, tokens=40, temperature=0.7, direction=direction)
    return " ".join(text.split())


def _draw(curve: list[tuple[int, float, float]], path: Path) -> None:
    """Mean loss and last rate of `POINTS` equal stretches, as CSV and as a picture."""
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    stretch = curve[-1][0] / POINTS
    pieces = [list(group) for _, group in groupby(curve, lambda p: (p[0] - 1) // stretch)]
    rows = [(p[-1][0], sum(loss for _, loss, _ in p) / len(p), p[-1][2]) for p in pieces]
    with open(path.with_suffix(".csv"), "w", newline="", encoding="utf8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("tokens", "train_nats", "rate"))
        writer.writerows((seen, f"{nats:.4f}", f"{rate:.2e}") for seen, nats, rate in rows)
    figure, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
    axis.plot([r[0] / 1e6 for r in rows], [r[1] for r in rows])
    axis.set(xlabel="million tokens", ylabel="training loss, nats a token", title=path.name)
    axis.grid(alpha=0.3)
    figure.savefig(path.with_suffix(".png"), dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
