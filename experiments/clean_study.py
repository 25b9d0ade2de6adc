"""How many wrong labels does `ulmfit clean` find? Labels are flipped on purpose, then looked for.

Each seed draws the rows, flips a share of their labels to another one, and judges them. Rows that
were wrong before count as false alarms, so the true precision is a little higher. With --train, a
classifier learns the flipped labels first and lends its encoder: what it costs that an encoder
has seen the labels it judges.

python experiments/clean_study.py en-mini ../shared/data/trec/train_5500.label --flip 0.05 0.1 0.2
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from ulmfit import Machine, Source, TrainOptions, train
from ulmfit.bundle import Bundle
from ulmfit.label_errors import label_errors, out_of_sample
from ulmfit.pretrained import open_model
from ulmfit.vectors import document_vectors

Labels = NDArray[np.int64]
Vectors = NDArray[np.float32]


def vectors_of(bundle: Bundle, texts: list[str], device: str) -> Vectors:
    return np.stack(list(document_vectors(bundle, texts, device)))


def flipped(labels: Labels, classes: int, share: float, seed: int) -> Labels:
    """The labels, a share of them changed to any other."""
    draw = np.random.default_rng(seed)
    rows = draw.permutation(len(labels))[: round(share * len(labels))]
    wrong = labels.copy()
    wrong[rows] = (wrong[rows] + draw.integers(1, classes, len(rows))) % classes
    return wrong


def figures(
    vectors: Vectors, texts: list[str] | None, right: Labels, given: Labels, classes: int, seed: int
) -> dict[str, float]:
    """Precision and recall of what is listed; precision of the first n, and of half as many."""
    wrong = given != right
    probabilities = out_of_sample(vectors, texts, given, classes, seed=seed)
    listed = label_errors(probabilities, given)
    ranked = label_errors(probabilities, given, count=len(given))
    hits = np.array([wrong[error.row] for error in listed])
    order = np.array([wrong[error.row] for error in ranked])
    put_right = [error.suggested == right[error.row] for error in listed if wrong[error.row]]
    n = int(wrong.sum())
    return {
        "listed": len(listed),
        "precision": float(hits.mean()) if len(hits) else 0.0,
        "recall": float(hits.sum() / n),
        "precision_at_half_n": float(order[: n // 2].mean()),
        "precision_at_n": float(order[:n].sum() / n),
        "right_suggestion": fmean(put_right) if put_right else 0.0,
        "accuracy": float((probabilities.argmax(1) == right).mean()),
    }


def classifier(lm: str, texts: list[str], names: list[str], given: Labels, seed: int) -> Bundle:
    """Trained on the flipped labels as `ulmfit train` does it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        with open(data, "w", newline="", encoding="utf8") as file:
            rows = csv.writer(file)
            rows.writerow(["text", "label"])
            rows.writerows(zip(texts, (names[i] for i in given), strict=True))
        options = TrainOptions(
            Source((str(data),)), str(Path(folder) / "model"), Machine(seed=seed), lm=lm
        )
        events = train(options)
        while True:
            try:
                next(events)
            except StopIteration as end:
                trained: Bundle = end.value
                return trained


def told(found: list[dict[str, float]]) -> dict[str, str]:
    """Mean and standard deviation over the seeds."""

    def spread(values: list[float]) -> float:
        return stdev(values) if len(values) > 1 else 0.0

    columns = {name: [each[name] for each in found] for name in found[0]}
    return {name: f"{fmean(v):.3f} +- {spread(v):.3f}" for name, v in columns.items()}


def study(asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    rows = [r for r in Source((asked.data,), label=asked.label).rows() if isinstance(r.label, str)]
    names = sorted({str(row.label) for row in rows})
    order = np.random.default_rng(0).permutation(len(rows))[: asked.rows]
    texts = [rows[i].text for i in order]
    right = np.array([names.index(str(rows[i].label)) for i in order])
    vectors = vectors_of(open_model(asked.model), texts, asked.device)
    for share in asked.flip:
        found: dict[str, list[dict[str, float]]] = {}
        for seed in asked.seeds:
            given = flipped(right, len(names), share, seed)
            ways: dict[str, tuple[Vectors, list[str] | None]] = {
                "both": (vectors, texts),
                "vectors alone": (vectors, None),
                "words alone": (np.zeros((len(texts), 1), np.float32), texts),
            }
            if asked.train:
                trained = classifier(asked.model, texts, names, given, seed)
                seen = vectors_of(trained, texts, asked.device)
                ways["both, encoder has seen the labels"] = (seen, texts)
            for way, judged in ways.items():
                found.setdefault(way, []).append(figures(*judged, right, given, len(names), seed))
        for way, each in found.items():
            yield {"flipped": share, "rows": len(texts), "judges": way, **told(each)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a language model, or a classifier trained on other rows")
    parser.add_argument("data")
    parser.add_argument("--label", help="column")
    parser.add_argument("--rows", type=int, help="drawn; without it, all")
    parser.add_argument("--flip", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--train", action="store_true", help="and the encoder of a classifier")
    for line in study(parser.parse_args()):
        print(json.dumps(line), flush=True)
