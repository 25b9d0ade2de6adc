"""Which settings to train a classifier with: accuracy on rows of train that nobody learned from."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ulmfit.metrics import accuracy
from ulmfit.model.dropout import Dropouts
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source
from ulmfit.predict import Predictor
from ulmfit.presets import DEFAULT, ClassifierSettings
from ulmfit.pretrained import open_pretrained
from ulmfit.stages.classify import Labelled, classify

BASE = replace(DEFAULT.classifier, dropouts=Dropouts(), head_dropouts=(0.4, 0.1), epochs=8)
HALF = replace(BASE, dropouts=Dropouts().scaled(0.5), head_dropouts=(0.2, 0.1))
SETTINGS: dict[str, ClassifierSettings] = {
    "v2": BASE,
    "v2, 24 epochs": replace(BASE, epochs=24),
    "v2, batch 16": replace(BASE, batch=16),
    "v2, factor 1.6": replace(BASE, factor=1.6),
    "v2, factor 1.3, 24 epochs": replace(BASE, factor=1.3, epochs=24),
    "half dropout": HALF,
    "half dropout, 24 epochs": replace(HALF, epochs=24),
    "half dropout, factor 1.3": replace(HALF, factor=1.3),
    "half dropout, batch 16": replace(HALF, batch=16),
}


def main() -> None:
    """Print the accuracy on held-out training rows for each setting asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("--lm", required=True)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS))
    asked = parser.parse_args()
    source = Source((asked.train,))
    rows = list(source.rows())
    draw = draw_labels(source, asked.labels, asked.seed)
    rest = np.setdiff1d(np.arange(len(rows)), draw.rows)
    held_out = np.random.default_rng(asked.seed).permutation(rest)[: asked.held_out]
    lm = open_pretrained(asked.lm)
    documents = [lm.encoder.encode(rows[i].text).astype(np.int64) for i in draw.rows]
    truth = np.array([draw.names.index(rows[i].label or "") for i in held_out])
    for name in asked.settings:
        with tempfile.TemporaryDirectory() as folder:
            data = Labelled(documents, draw.labels)
            run = classify(lm, data, draw.names, SETTINGS[name], Path(folder), seed=asked.seed)
            try:
                while True:
                    next(run)
            except StopIteration as end:
                bundle = end.value
        predictor = Predictor(bundle, precision="auto")
        answers = np.stack(list(predictor.probabilities(rows[i].text for i in held_out)))
        history = [(h["train_loss"], h["loss"]) for h in bundle.metrics["forward"]["history"]]
        told = " ".join(f"{a:.2f}/{b:.2f}" for a, b in history)
        print(f"{name}: {accuracy(truth, answers.argmax(1)):.4f}  train/valid {told}", flush=True)


if __name__ == "__main__":
    main()
