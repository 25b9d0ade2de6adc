"""A trained language model -> an embedded one: figures, samples, neighbours, card, curve.

    python experiments/pretrain/publish.py runs/en-small en-small --data ../shared/data

measures the model at `runs/en-small` on the WikiText-103 test articles, stores it as int8 rows in
`src/ulmfit/pretrained/en-small`, measures it again as stored, and draws its learning curve (data
and plot) in `experiments/pretrain/` from the records of its run.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import torch
from safetensors import safe_open

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
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


def main() -> None:
    """Measure, store, measure again, write the card and the curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path, help="folder of the bundle")
    parser.add_argument("name")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, nargs="+", help="its directions'; else its own .run")
    asked = parser.parse_args()
    bundle = _loaded(asked.trained)
    runs = asked.runs or [asked.trained.with_name(asked.trained.name + ".run")]
    curves = {d: list(_steps(_records(runs, d))) for d in bundle.directions}
    provenance = _provenance(bundle, asked.name, curves)
    out = EMBEDDED / asked.name
    bundle = replace(bundle, provenance=provenance)
    bundles.save(bundle, out, "", "int8")
    test = Source((str(asked.data / "wikitext-103" / "wiki.test.tokens"),))
    full = {d: perplexity(bundle, test, Machine(), d) for d in bundle.directions}
    stored = bundles.load(out)
    figures = {d: perplexity(stored, test, Machine(), d) for d in bundle.directions}
    metrics = {**stored.metrics, "wikitext103_test": figures, "wikitext103_test_fp32": full}
    stored = replace(stored, metrics=metrics)
    bundles.save(stored, out, _card(stored, asked.name, figures, full), "int8")
    for direction, curve in curves.items():
        _draw(curve, HERE / f"{asked.name}-{direction}")
    print(json.dumps(figures, indent=2))


def _loaded(trained: Path) -> Bundle:
    """The bundle, if its weights are whole: what storing them costs is to be measured."""
    with safe_open(trained / "model.safetensors", "pt") as file:
        if any(file.get_slice(name).get_dtype() != "F32" for name in file.keys()):  # noqa: SIM118
            raise InputError(f"{trained}: stored in less than fp32; pretrain with --storage fp32")
    return bundles.load(trained)


def _records(runs: list[Path], direction: Direction) -> Path:
    """What the run that trained a direction noted."""
    found = [path for run in runs if (path := run / direction / "records.jsonl").exists()]
    if not found:
        raise InputError(f"{', '.join(map(str, runs))}: no run of a {direction} model")
    return found[0]


def _steps(path: Path) -> Iterator[dict[str, Any]]:
    """The steps of a run, with the tokens seen after each."""
    seen = 0
    for line in path.read_text("utf8").splitlines():
        record = json.loads(line)
        if record["record"] == "Step":
            seen += record["tokens"]
            yield {**record, "seen": seen}


def _provenance(bundle: Bundle, name: str, curves: dict[Direction, Any]) -> dict[str, Any]:
    return {
        **bundle.provenance,
        "corpus": {"source": SOURCE, **bundle.provenance["corpus"]},
        "tokens_seen": {d: curve[-1]["seen"] for d, curve in curves.items()},
        "training_hours": {
            d: round(sum(step["seconds"] for step in curve) / 3600, 2)
            for d, curve in curves.items()
        },
        "command": f"experiments/pretrain/{name}.sh",
    }


def _card(
    bundle: Bundle, name: str, figures: dict[Direction, Any], full: dict[Direction, Any]
) -> str:
    rest = language_model_card(bundle).split("\n", 1)[1]
    lines = [f"# {name}: a language model of English", rest.rstrip(), ""]
    lines += ["## WikiText-103 test articles", "", "As stored (int8 rows) and in fp32:", ""]
    lines.append("| direction | nats a token | word perplexity | in fp32 | bits a byte | unknown |")
    lines.append("|---|---|---|---|---|---|")
    for d, f in figures.items():
        lines.append(
            f"| {d} | {f['nats_per_token']:.4f} | {f['word_perplexity']:.1f} | "
            f"{full[d]['word_perplexity']:.1f} | {f['bits_per_byte']:.3f} | {f['oov_rate']:.1%} |"
        )
    lines += ["", "## Nearest words", "", "By the angle between embedding rows:", ""]
    first = bundle.directions[0]
    lines += [f"- {w}: {', '.join(_nearest(bundle, first, w))}" for w in WORDS]
    lines += ["", "## What it writes", "", "Temperature 0.7, seed 0, 40 tokens:", ""]
    for d in bundle.directions:
        lines += [f"- {d}: {_written(bundle, prompt, d)}" for prompt in PROMPTS]
    lines += ["", "## Licence", "", f"Trained on {SOURCE}; the weights are given under the same."]
    return "\n".join([*lines, ""])


def _nearest(bundle: Bundle, direction: Direction, word: str) -> list[str]:
    rows = bundle.weights[direction]["encoder.embedding"]
    tokens = bundle.encoder.vocab.tokens
    unit = torch.nn.functional.normalize(rows, dim=1)
    best = (unit @ unit[tokens.index(word)]).topk(NEIGHBOURS + 1).indices.tolist()
    return [tokens[i] for i in best if tokens[i] != word][:NEIGHBOURS]


def _written(bundle: Bundle, prompt: str, direction: Direction) -> str:
    text = generate(bundle, prompt, tokens=40, temperature=0.7, direction=direction)
    return " ".join(text.split())


def _draw(curve: list[dict[str, Any]], path: Path) -> None:
    """Mean loss and rate of `POINTS` stretches of the run, as CSV and as a picture."""
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    width = max(1, len(curve) // POINTS)
    pieces = [curve[i : i + width] for i in range(0, len(curve), width)]
    rows = [
        (p[-1]["seen"], sum(s["loss"] for s in p) / len(p), max(p[-1]["rates"])) for p in pieces
    ]
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
