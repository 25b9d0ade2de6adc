"""Probabilities that have not seen a label -> the labels that they contradict.

Source: Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset
labels", sec. 3. How many labels are wrong is counted with a threshold for each class, what its
probability is on average in the rows said to be of it: so that a class that the model is never
sure of needs no more than its own measure. Which ones they are is told by the lowest probability
of the given class. How many are found: LOG, "Wrong labels found by `clean`".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

FOLDS = 5
STRENGTHS = {"vectors": (0.001, 0.01, 0.1), "words": (1.0, 10.0, 100.0)}  # scikit-learn's C
MOST_LEARNED = 20_000  # rows that a fold learns from; more change little and take long
FROM_EACH = 50  # of them from each label at least, if it has so many
MOST_WORDS = 200_000  # and pairs of words, the commonest


@dataclass(frozen=True)
class LabelError:
    """A row whose label is probably wrong."""

    row: int
    given: int
    suggested: int
    confidence: float
    """the probability of the suggested class"""
    given_probability: float
    """of the given class; the lower, the more doubtful"""


def label_errors(
    probabilities: Floats, labels: Labels, count: int | None = None
) -> list[LabelError]:
    """The rows whose label is probably wrong, the most doubtful first.

    Args:
        probabilities: (rows, classes), of a model that has not seen the label of the row it
            judges: `out_of_sample`, or a model's answers on rows that it was not trained on.
        labels: (rows,) class numbers as given.
        count: how many rows to list at most; None takes as many as the thresholds find wrong.

    Returns:
        Rows whose most probable class is another than the given one, ranked by the probability
        of the given one (self-confidence).
    """
    least = thresholds(probabilities, labels)
    own = probabilities[np.arange(len(labels)), labels]
    confident = np.where(probabilities >= least, probabilities, -1.0)
    passed = (confident.max(1, initial=-1.0) > 0) & (confident.argmax(1) != labels)
    suggested = np.where(np.isfinite(least), probabilities, -1.0).argmax(1)
    other = np.flatnonzero(suggested != labels)
    ranked = other[np.argsort(own[other], kind="stable")][
        : int(passed.sum()) if count is None else count
    ]
    return [
        LabelError(
            int(row),
            int(labels[row]),
            int(suggested[row]),
            float(probabilities[row, suggested[row]]),
            float(own[row]),
        )
        for row in ranked
    ]


def thresholds(probabilities: Floats, labels: Labels) -> Floats:
    """(classes,): the mean probability of a class in the rows said to be of it; infinite for none.

    A class that no fold could learn, with a mean of 0, suggests nothing either.
    """
    sums = np.zeros(probabilities.shape[1])
    np.add.at(sums, labels, probabilities[np.arange(len(labels)), labels])
    counts = np.bincount(labels, minlength=len(sums))
    return np.where(sums > 0, sums / np.maximum(counts, 1), np.inf)


def out_of_sample(
    vectors: NDArray[np.float32],
    texts: Sequence[str] | None,
    labels: Labels,
    classes: int,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Floats:
    """Probabilities (rows, classes), each row's by models that have not seen its label.

    The mean of two cheap judges, cross-validated: logistic regression on document vectors, and
    on TF-IDF of words and word pairs. They err on different rows, so that their mean is better
    than either (LOG, "Wrong labels found by `clean`").

    Args:
        vectors: (rows, features), by an encoder; out of sample only if that has not seen the
            labels, as a language model's has not.
        texts: of the rows; None leaves the second judge out.
        labels: (rows,) class numbers.
        classes: how many there are.
        seed: of the folds.
        progress: called with folds done, and of how many.

    Each judge's regularisation is the one that answers the first fold best.

    Returns:
        Rows sum to 1. A class that stands in one row alone has probability 0 there.
    """
    generator = np.random.default_rng(seed)
    fold_of = folds(labels, generator)
    judges = [_Judge(_spread_evenly(vectors), STRENGTHS["vectors"])]
    if texts is not None:
        judges.append(_Judge(_counted(texts), STRENGTHS["words"]))
    answers = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        learned = _as_many(labels, generator.permutation(np.flatnonzero(fold_of != fold)))
        judged = np.flatnonzero(fold_of == fold)
        for judge in judges:
            answers[judged] += judge.answers(learned, judged, labels, classes) / len(judges)
        progress(fold + 1, FOLDS)
    return answers


def _as_many(labels: Labels, rows: Labels) -> Labels:
    """The first `MOST_LEARNED` of mixed rows, and of each class at least its first `FROM_EACH`.

    Else a rare class would not be known at all, and all its rows taken for wrong.
    """
    order = np.argsort(labels[rows], kind="stable")
    classes, starts = np.unique(labels[rows][order], return_index=True)
    turn = np.empty(len(rows), np.int64)
    turn[order] = np.arange(len(rows)) - starts[np.searchsorted(classes, labels[rows][order])]
    kept = np.argsort(np.minimum(turn, FROM_EACH), kind="stable")[:MOST_LEARNED]
    return rows[np.sort(kept)]


def folds(labels: Labels, generator: np.random.Generator) -> Labels:
    """(rows,) the fold of each: every class is dealt evenly to `FOLDS` of them."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # classes together, rows mixed
    dealt = np.empty(len(labels), np.int64)
    dealt[order] = np.arange(len(labels)) % FOLDS
    return dealt


Featured = Callable[[Labels, Labels], tuple[Any, Any]]
"""(rows to learn from, rows to judge) -> the features of both, made from the first alone"""


def _spread_evenly(vectors: NDArray[np.float32]) -> Featured:
    """Features of mean 0 and deviation 1."""

    def features(learned: Labels, judged: Labels) -> tuple[Any, Any]:
        known = vectors[learned]
        mean, spread = known.mean(0), known.std(0) + 1e-6
        return (known - mean) / spread, (vectors[judged] - mean) / spread

    return features


def _counted(texts: Sequence[str]) -> Featured:
    """TF-IDF of words, signs, and pairs of them."""

    def features(learned: Labels, judged: Labels) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(
            token_pattern=r"\w+|[^\w\s]",
            ngram_range=(1, 2),
            sublinear_tf=True,
            max_features=MOST_WORDS,
        )
        known = words.fit_transform([texts[row] for row in learned])
        return known, words.transform([texts[row] for row in judged])

    return features


class _Judge:
    """Logistic regression whose strength is chosen once, on the first fold it judges."""

    def __init__(self, featured: Featured, strengths: Sequence[float]) -> None:
        self._featured = featured
        self._strengths = tuple(strengths)

    def answers(self, learned: Labels, judged: Labels, labels: Labels, classes: int) -> Floats:
        """Probabilities (judged, classes); 0 of a class that was not learned."""
        known, others = self._featured(learned, judged)
        tried = [_fit(known, labels[learned], others, c, classes) for c in self._strengths]
        if len(tried) > 1:
            own = [p[np.arange(len(judged)), labels[judged]] for p in tried]
            best = int(np.argmax([np.log(np.maximum(p, 1e-6)).mean() for p in own]))
            self._strengths = (self._strengths[best],)
            return tried[best]
        return tried[0]


def _fit(known: Any, labels: Labels, others: Any, strength: float, classes: int) -> Floats:
    from sklearn.linear_model import LogisticRegression

    answers = np.zeros((others.shape[0], classes))
    seen = np.unique(labels)
    if len(seen) == 1:
        answers[:, seen] = 1.0
    else:
        model = LogisticRegression(C=strength, max_iter=1000).fit(known, labels)
        answers[:, model.classes_] = model.predict_proba(others)
    return answers
