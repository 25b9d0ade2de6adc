"""fastText's supervised classifier with word pairs."""

import os
from collections.abc import Callable
from pathlib import Path

import fasttext

THREADS = len(os.sched_getaffinity(0))


def fit(texts: list[str], labels: list[str], path: Path) -> None:
    lines = path.with_suffix(".txt")
    pairs = zip(labels, texts, strict=True)
    lines.write_text("".join(f"__label__{a} {' '.join(text.split())}\n" for a, text in pairs))
    model = fasttext.train_supervised(str(lines), wordNgrams=2, thread=THREADS, verbose=0)
    model.save_model(str(path))


def opened(path: Path) -> Callable[[list[str]], list[float]]:
    model = fasttext.load_model(str(path))

    def answers(texts: list[str]) -> list[float]:
        labels, shares = model.predict([" ".join(text.split()) for text in texts], k=2)
        pairs = zip(labels, shares, strict=True)
        return [float(dict(zip(a, p, strict=True))["__label__pos"]) for a, p in pairs]

    return answers
