"""Which settings to train a classifier with: accuracy on rows of train that nobody learned from."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ulmfit.bundle import Bundle
from ulmfit.data.rows import Row
from ulmfit.metrics import accuracy
from ulmfit.model.dropout import Dropouts
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source
from ulmfit.predict import Predictor
from ulmfit.presets import DEFAULT, ClassifierSettings
from ulmfit.pretrained import open_pretrained
from ulmfit.stages.classify import Labelled, classify
from ulmfit.stages.deciding import Policy

BASE = replace(DEFAULT.classifier, min_steps=0)
HALF = replace(BASE, dropouts=Dropouts().scaled(0.5), head_dropouts=(0.2, 0.1))
SETTINGS: dict[str, ClassifierSettings] = {
    "default": DEFAULT.classifier,
    "16 epochs": BASE,
    "8 epochs": replace(BASE, epochs=8),
    "30 epochs": replace(BASE, epochs=30),
    "50 epochs": replace(BASE, epochs=50),
    "100 epochs": replace(BASE, epochs=100),
    "batch 16": replace(BASE, batch=16),
    "batch 16, 8 epochs": replace(BASE, batch=16, epochs=8),
    "batch 16, 50 epochs": replace(BASE, batch=16, epochs=50),
    "batch 8": replace(BASE, batch=8),
    "factor 1.6": replace(BASE, factor=1.6),
    "factor 1.3": replace(BASE, factor=1.3),
    "factor 1.3, 8 epochs": replace(BASE, factor=1.3, epochs=8),
    "batch 16, factor 1.6": replace(BASE, batch=16, factor=1.6),
    "no output dropout": replace(DEFAULT.classifier, dropouts=Dropouts(output=0)),
    "half dropout": HALF,
    "half dropout, factor 1.6": replace(HALF, factor=1.6),
}


def main() -> None:
    """Print the accuracy on held-out training rows for each setting asked for, and its spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("--lm", required=True)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS))
    asked = parser.parse_args()
    source, lm = Source((asked.train,)), open_pretrained(asked.lm)
    rows = list(source.rows())
    for name in asked.settings:
        each = [measured(source, rows, lm, SETTINGS[name], asked, seed) for seed in asked.seeds]
        told = ", ".join(f"{100 * value:.2f}" for value in each)
        spread = f"{100 * np.mean(each):.2f} +- {100 * np.std(each):.2f}"
        print(f"{name}: {spread} ({told})", flush=True)


def measured(
    source: Source,
    rows: list[Row],
    lm: Bundle,
    settings: ClassifierSettings,
    asked: argparse.Namespace,
    seed: int,
) -> float:
    """Accuracy on rows that were not drawn, of a classifier trained on those that were."""
    draw = draw_labels(source, asked.labels, seed)
    rest = np.setdiff1d(np.arange(len(rows)), draw.rows)
    held_out = np.random.default_rng(seed).permutation(rest)[: asked.held_out]
    documents = [lm.encoder.encode(rows[i].text).astype(np.int64) for i in draw.rows]
    truth = np.array([draw.names.index(str(rows[i].label)) for i in held_out])
    data = Labelled(documents, draw.labels)
    with tempfile.TemporaryDirectory() as folder:
        run = classify(
            lm, data, draw.names, settings, Path(folder), seed=seed, policy=Policy(calibrate=True)
        )
        try:
            while True:
                next(run)
        except StopIteration as end:
            predictor = Predictor(end.value, precision="auto")
    answers = np.stack(list(predictor.probabilities(rows[i].text for i in held_out)))
    return accuracy(truth, answers.argmax(1))


if __name__ == "__main__":
    main()
