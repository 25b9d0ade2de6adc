"""TF-IDF + logistic regression on the rows that `ulmfit train --labels N --seed S` would draw."""

from __future__ import annotations

import argparse
from statistics import fmean, stdev

import numpy as np

from ulmfit.baseline import fit_baseline
from ulmfit.metrics import accuracy
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source


def test_accuracy(train: Source, test: Source, labels: int | None, seed: int) -> float:
    """Share of the test rows told right; its strength is chosen on the drawn rows."""
    draw = draw_labels(train, labels, seed)
    baseline = fit_baseline(list(draw.texts(train)), draw.labels, len(draw.names), seed=seed)
    rows = list(test.rows())
    truth = np.array([draw.names.index(row.label) for row in rows])
    return accuracy(truth, baseline.answers([row.text for row in rows]).argmax(1))


def main() -> None:
    """Print mean and spread over seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--labels", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    seeds = asked.seeds if asked.labels else asked.seeds[:1]  # all rows: nothing is drawn
    train, test = Source((asked.train,)), Source((asked.test,))
    found = [test_accuracy(train, test, asked.labels, seed) for seed in seeds]
    spread = stdev(found) if len(found) > 1 else 0.0
    print(f"TF-IDF + LR: {fmean(found):.4f} +- {spread:.4f} over seeds {seeds}: {found}")


if __name__ == "__main__":
    main()
