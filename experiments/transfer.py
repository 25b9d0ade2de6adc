"""What a language model is worth to a classifier of few labels, each direction and both.

    python experiments/transfer.py TRAIN TEST --lm runs/imdb-lm --out runs/transfer \
        --labels 100 1000 --seeds 0 1 2

`--lm` is a language model that was fine-tuned on the texts; without it, one of the same words and
sizes whose weights were drawn at random (`--untrained LM`). A trained classifier is kept, one that
was stopped is gone on with, and a figure that stands in results.jsonl is not computed again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.metrics import accuracy
from ulmfit.model.awd_lstm import AWDLSTM
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline.options import Source
from ulmfit.predict import Predictor
from ulmfit.targets.answers import probabilities


def untrained(like: Bundle, seed: int) -> Bundle:
    """A language model of the same words and sizes that has read nothing."""
    torch.manual_seed(seed)
    weights: dict[Direction, dict[str, torch.Tensor]] = {}
    for direction in like.directions:
        model = LanguageModel(AWDLSTM(like.architecture, Dropouts()))
        weights[direction] = {name: t.clone() for name, t in model.state_dict().items()}
    return replace(like, weights=weights, metrics={}, provenance={"untrained": True, "seed": seed})


def untrained_at(folder: Path, like: Path, seed: int) -> Path:
    """`untrained`, written where it is not there yet."""
    if not folder.exists():
        bundles.save(untrained(bundles.load(like), seed), folder, "Weights drawn at random.\n")
    return folder


def digest(lm: Path) -> str:
    """What tells one language model from another."""
    return hashlib.sha256((lm / "model.safetensors").read_bytes()).hexdigest()[:12]


def classifier(
    train: str, lm: Path, labels: int, seed: int, out: Path, epochs: int | None
) -> Bundle:
    """Trained by the command line, as a user would; or what is there already."""
    if not out.exists():
        call = ["resume", f"{out}.run"]
        if not Path(f"{out}.run").exists():
            call = ["train", train, "--lm", str(lm), "--no-finetune", "--no-report"]
            call += ["--labels", str(labels), "--seed", str(seed), "--out", str(out)]
            call += ["--epochs", str(epochs)] if epochs else []
        subprocess.run([sys.executable, "-m", "ulmfit", *call], check=True)
    return bundles.load(out)


def measured(bundle: Bundle, test: Source) -> dict[str, float]:
    """Test accuracy of each direction and of their mean."""
    predictor, rows = Predictor(bundle), list(test.rows())
    truth = np.array([bundle.labels.index(str(row.label)) for row in rows])
    logits = np.stack(list(predictor.logits(row.text for row in rows)))
    temperature = bundle.target.temperature
    parts = {name: logits[:, [i]] for i, name in enumerate(bundle.directions)}
    if len(parts) > 1:
        parts["both"] = logits
    return {
        name: accuracy(truth, probabilities(part, "single", temperature).argmax(1))
        for name, part in parts.items()
    }


def main() -> None:
    """Print the mean and spread over seeds of each number of labels and direction."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--lm", type=Path)
    start.add_argument("--untrained", type=Path, metavar="LM")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="of the last phase, instead of the preset's")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    results = asked.out / "results.jsonl"
    lines = results.read_text("utf8").splitlines() if results.exists() else []
    told = [json.loads(line) for line in lines]
    for labels in asked.labels:
        found: list[dict[str, float]] = []
        for seed in asked.seeds:
            lm = asked.lm or untrained_at(asked.out / f"untrained-{seed}", asked.untrained, seed)
            key = {"labels": labels, "seed": seed, "lm": digest(lm)}
            if not (known := [r["accuracy"] for r in told if r | key == r]):
                out = asked.out / f"{labels}-{seed}"
                model = classifier(asked.train, lm, labels, seed, out, asked.epochs)
                known = [measured(model, Source((asked.test,)))]
                with results.open("a") as file:
                    file.write(json.dumps({**key, "accuracy": known[0]}) + "\n")
            found += known
        for name in found[0]:
            each = [100 * f[name] for f in found]
            spread = stdev(each) if len(each) > 1 else 0.0
            values = ", ".join(f"{x:.2f}" for x in each)
            print(
                f"{labels} labels, {name}: {fmean(each):.2f} +- {spread:.2f} ({values})", flush=True
            )


if __name__ == "__main__":
    main()
