"""TF-IDF + logistic regression on the rows that `ulmfit train --labels N --seed S` would draw."""

from __future__ import annotations

import argparse
from statistics import fmean, stdev

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.options import Source


def accuracy(train: Source, test: Source, labels: int | None, seed: int) -> float:
    """Share of the test rows told right; C by five-fold cross-validation on the drawn rows."""
    draw = draw_labels(train, labels, seed)
    texts = [row.text for row in train.rows()]
    drawn = [texts[i] for i in draw.rows]
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2000)
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [1, 10, 100]}, cv=5)
    search.fit(drawn, [draw.names[i] for i in draw.labels])
    rows = list(test.rows())
    predicted = search.predict([row.text for row in rows])
    return float(np.mean(predicted == np.array([row.label for row in rows])))


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
    found = [accuracy(train, test, asked.labels, seed) for seed in seeds]
    spread = stdev(found) if len(found) > 1 else 0.0
    print(f"TF-IDF + LR: {fmean(found):.4f} +- {spread:.4f} over seeds {seeds}: {found}")


if __name__ == "__main__":
    main()
