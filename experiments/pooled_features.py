"""What a few labels find in a language model's document vectors, without training the model.

Logistic regression on the pooled vectors (last, maximum, mean) of texts, standardised over all of
them; labels drawn balanced from some of the rows, accuracy on the others. A probe of minutes that
compares language models before their classifiers, which take hours.

    python experiments/pooled_features.py LM [LM ...] --data ../shared/data/imdb/train.parquet

The rows are of the training set: the strength that is best on the measured rows is told, which is
fair between language models and flatters all of them a little.
"""

from __future__ import annotations

import argparse
from statistics import fmean, pstdev

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ulmfit.pipeline.options import Source
from ulmfit.pretrained import open_pretrained
from ulmfit.targets.drawing import balanced
from ulmfit.targets.kinds import Labels, Rows
from ulmfit.vectors import document_vectors

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # C of the regression


def drawn(labels: Labels, pool: int, count: int, seed: int) -> Rows:
    """`count` of the first `pool` rows, as many of each label."""
    own, classes = labels[:pool], int(labels.max()) + 1
    if np.bincount(own, minlength=classes).min() < count // classes:
        raise SystemExit(f"{count} labels are more than the {pool:,} rows hold of each class")
    return balanced(own, classes, "single", count, seed)


def accuracies(
    vectors: NDArray[np.float32], labels: Labels, measured: int, count: int, draws: int
) -> list[float]:
    """Of each draw, on the last `measured` rows, with the strength that is best over all draws."""
    scaled = StandardScaler().fit_transform(vectors)
    pool = len(labels) - measured
    rows = [drawn(labels, pool, count, seed) for seed in range(draws)]

    def score(strength: float, learned: Rows) -> float:
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(scaled[learned], labels[learned])
        return float(model.score(scaled[pool:], labels[pool:]))

    return max(([score(c, learned) for learned in rows] for c in STRENGTHS), key=fmean)


def main() -> None:
    """Print mean and spread of each language model and number of labels."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("lm", nargs="+")
    asked.add_argument("--data", required=True, help="labelled rows, one label each")
    asked.add_argument("--rows", type=int, default=5000, help="drawn from the data")
    asked.add_argument("--measured", type=int, default=2000, help="of them, to measure on")
    asked.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    asked.add_argument("--draws", type=int, default=10)
    wanted = asked.parse_args()
    rows = list(Source((wanted.data,)).rows())
    chosen = np.random.default_rng(7).permutation(len(rows))[: wanted.rows]
    labels = np.unique([str(rows[i].label) for i in chosen], return_inverse=True)[1]
    for name in wanted.lm:
        vectors = document_vectors(open_pretrained(name), (rows[i].text for i in chosen))
        matrix = np.stack(list(vectors))
        for count in wanted.labels:
            found = accuracies(matrix, labels, wanted.measured, count, wanted.draws)
            told = f"{100 * fmean(found):.1f} ({100 * pstdev(found):.1f})"
            print(f"{name}: {count} labels {told} over {wanted.draws} draws", flush=True)


if __name__ == "__main__":
    main()
