"""The embedded labelled messages, and the baseline that a classifier on them has to beat."""

import csv
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple


class Messages(NamedTuple):
    """Texts and their labels, in the same order."""

    texts: list[str]
    labels: list[str]


def load_messages() -> tuple[Messages, Messages]:
    """Read the embedded customer messages.

    Returns: (train, test), 630 and 210 texts in six equally frequent classes.
    Source: written for this project; see ``README.md`` beside this file.

    >>> train, test = load_messages()
    >>> len(train.texts), len(test.texts)
    (630, 210)
    """
    parts = {"train": Messages([], []), "test": Messages([], [])}
    lines = (files(__name__) / "messages.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines):  # no message holds a line break
        part = parts[row["split"]]
        part.texts.append(row["text"])
        part.labels.append(row["label"])
    return parts["train"], parts["test"]


def tfidf_accuracy(
    train_texts: Sequence[str],
    train_labels: Sequence[str],
    test_texts: Sequence[str],
    test_labels: Sequence[str],
) -> float:
    """Accuracy, 0 to 1, of TF-IDF on words and word pairs with logistic regression.

    The inverse strength of regularisation is chosen by five-fold cross-validation on the training
    texts, so that the baseline is a fair one; each class needs at least five training texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2000)
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.3, 1, 3, 10, 30, 100]}, cv=5)
    search.fit(list(train_texts), list(train_labels))
    return float(search.score(list(test_texts), list(test_labels)))
