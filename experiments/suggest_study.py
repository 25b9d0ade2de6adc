"""How many labels does `ulmfit suggest` save against labelling at random?

A pool of texts whose labels are hidden; each round a model learns the labels so far, says which
texts to label next, and is measured on the test rows. Ways: at random; `margin`, the most
uncertain ones alone; `suggest`, as the package chooses. Labels saved: how many more random labels
reach the accuracy that `suggest` has, read off the random curve between its points.

The learner is a logistic regression on document vectors of a language model, which takes seconds;
with --train it is `ulmfit train --no-finetune` with that language model, in every round.

python experiments/suggest_study.py en-mini ../shared/data/trec/train_5500.label \
    ../shared/data/trec/TREC_10.label
python experiments/suggest_study.py LM ../shared/data/imdb/{train,test}.parquet --pool 5000 \
    --test-rows 5000 --start 100 --step 100 --until 800 --train
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ulmfit import Machine, Predictor, Source, TrainOptions, train
from ulmfit.data.rows import Row
from ulmfit.manifest import TargetConfig
from ulmfit.pretrained import open_pretrained
from ulmfit.suggestions.diversity import choose, unit_vectors
from ulmfit.suggestions.suggesting import PER_SUGGESTION
from ulmfit.suggestions.uncertainty import uncertainty
from ulmfit.vectors import document_vectors

Numbers = NDArray[np.int64]
WAYS = ("random", "margin", "suggest")


@dataclass
class Part:
    texts: list[str]
    labels: Numbers
    vectors: NDArray[np.float32]


@dataclass
class Learned:
    """What a model says after a round."""

    accuracy: float
    probabilities: NDArray[np.float64]
    """(pool, classes)"""
    vectors: NDArray[np.float32]
    """(pool, features)"""


Learner = Callable[[Numbers, int], Learned]
"""(rows of the pool that are labelled, seed)"""


def rows_of(path: str, label: str | None) -> list[Row]:
    return [row for row in Source((path,), label=label).rows() if isinstance(row.label, str)]


def part(rows: list[Row], names: list[str], asked: argparse.Namespace, most: int | None) -> Part:
    order = np.random.default_rng(0).permutation(len(rows))[:most]
    texts = [rows[i].text for i in order]
    labels = np.array([names.index(str(rows[i].label)) for i in order])
    vectors = document_vectors(open_pretrained(asked.lm), texts, asked.device)
    return Part(texts, labels, np.stack(list(vectors)))


def by_regression(pool: Part, test: Part) -> Learner:
    """On features of equal spread over the pool."""
    mean, spread = pool.vectors.mean(0), pool.vectors.std(0) + 1e-6
    known, other = ((p.vectors - mean) / spread for p in (pool, test))

    def learn(rows: Numbers, seed: int) -> Learned:
        model = LogisticRegression(C=0.01, max_iter=1000).fit(known[rows], pool.labels[rows])
        accuracy = float(model.score(other, test.labels))
        return Learned(accuracy, model.predict_proba(known), pool.vectors)

    return learn


def by_training(pool: Part, test: Part, names: list[str], asked: argparse.Namespace) -> Learner:
    def learn(rows: Numbers, seed: int) -> Learned:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data.csv"
            with open(data, "w", newline="", encoding="utf8") as file:
                lines = csv.writer(file)
                lines.writerow(["text", "label"])
                lines.writerows((pool.texts[i], names[pool.labels[i]]) for i in rows)
            options = TrainOptions(
                Source((str(data),)),
                str(Path(folder) / "model"),
                Machine(asked.device, seed=seed),
                lm=asked.lm,
                finetune=False,
                epochs=asked.epochs,
            )
            events = train(options)
            while True:
                try:
                    next(events)
                except StopIteration as end:
                    predictor = Predictor(end.value, asked.device)
                    break
        answers = np.stack(list(predictor.probabilities(test.texts)))
        return Learned(
            float((answers.argmax(1) == test.labels).mean()),
            np.stack(list(predictor.probabilities(pool.texts))),
            np.stack(list(predictor.vectors(pool.texts))),
        )

    return learn


def pick(way: str, learned: Learned, left: Numbers, count: int, seed: int) -> Numbers:
    """Which of the texts that are left to label next."""
    if way == "random":
        return np.random.default_rng(seed).permutation(left)[:count]
    target = TargetConfig()
    unsure = np.array([uncertainty(row, target) for row in learned.probabilities[left]])
    order = np.argsort(-unsure, kind="stable")
    if way == "margin":
        return left[order[:count]]
    best = order[: PER_SUGGESTION * count]
    chosen = choose(unit_vectors(learned.vectors[left[best]]), unsure[best], count, seed)
    return left[best[chosen.rows]]


def beginning(pool: Part, count: int, seed: int) -> Numbers:
    """At random, but every label twice at least: what any training needs."""
    order = np.random.default_rng(seed).permutation(len(pool.labels))
    twice = [order[pool.labels[order] == label][:2] for label in np.unique(pool.labels)]
    return np.array(list(dict.fromkeys([*np.concatenate(twice), *order]))[:count])


def curve(
    way: str, learn: Learner, pool: Part, asked: argparse.Namespace, seed: int
) -> list[float]:
    """Accuracy with `start`, `start + step`, ... labels."""
    rows = beginning(pool, asked.start, seed)
    accuracies = []
    while True:
        learned = learn(rows, seed)
        accuracies.append(learned.accuracy)
        if len(rows) + asked.step > asked.until:
            return accuracies
        left = np.setdiff1d(np.arange(len(pool.labels)), rows)
        rows = np.concatenate([rows, pick(way, learned, left, asked.step, seed + len(rows))])


def saved(counts: Numbers, at_random: NDArray[np.float64], curve: NDArray[np.float64]) -> list[str]:
    """Of each count of suggested labels, how many random ones do as well."""
    rising = np.maximum.accumulate(at_random)
    found = []
    for count, accuracy in zip(counts, curve, strict=True):
        if accuracy > rising[-1]:
            found.append(f"{count} do more than {counts[-1]} at random")
        else:
            found.append(f"{count} do as {np.interp(accuracy, rising, counts):.0f} at random")
    return found


def main(asked: argparse.Namespace) -> None:
    rows, test_rows = rows_of(asked.train_file, asked.label), rows_of(asked.test_file, asked.label)
    names = sorted({str(row.label) for row in rows})
    pool = part(rows, names, asked, asked.pool)
    test = part(test_rows, names, asked, asked.test_rows)
    learn = by_training(pool, test, names, asked) if asked.train else by_regression(pool, test)
    counts = np.arange(asked.start, asked.until + 1, asked.step)
    means = {}
    for way in asked.ways:
        curves = []
        for seed in asked.seeds:
            curves.append(curve(way, learn, pool, asked, seed))
            print(json.dumps({"way": way, "seed": seed, "accuracy": curves[-1]}), flush=True)
        means[way] = np.mean(curves, axis=0)
        spread = np.std(curves, axis=0, ddof=1) if len(curves) > 1 else np.zeros(len(counts))
        told = [
            f"{c}: {m:.4f} +- {s:.4f}" for c, m, s in zip(counts, means[way], spread, strict=True)
        ]
        print(json.dumps({"way": way, "labels: accuracy": told}), flush=True)
    for way in set(means) - {"random"}:
        if "random" in means:
            print(json.dumps({"way": way, "saved": saved(counts, means["random"], means[way])}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lm", help="a language model, by name or folder")
    parser.add_argument("train_file")
    parser.add_argument("test_file")
    parser.add_argument("--label", help="column")
    parser.add_argument("--pool", type=int, help="texts; without it, all")
    parser.add_argument("--test-rows", type=int)
    parser.add_argument("--start", type=int, default=50)
    parser.add_argument("--step", type=int, default=50)
    parser.add_argument("--until", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--train", action="store_true", help="`ulmfit train` in every round")
    parser.add_argument("--epochs", type=int, help="of --train")
    parser.add_argument("--device", default="auto")
    main(parser.parse_args())
