"""TF-IDF of words and word pairs under logistic regression (scikit-learn)."""

from collections.abc import Callable
from pathlib import Path

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def fit(texts: list[str], labels: list[str], path: Path) -> None:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=2000))
    joblib.dump(model.fit(texts, labels), path)


def opened(path: Path) -> Callable[[list[str]], list[float]]:
    model = joblib.load(path)
    return lambda texts: model.predict_proba(texts)[:, 1].tolist()
