"""The baseline that a classifier has to beat: TF-IDF of words and word pairs, a linear model.

Logistic regression for classes, ridge regression for real values. The inverse strength of
regularisation is chosen by cross-validation on the texts that it learns from, so that the
baseline is a fair one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError

Floats = NDArray[np.float64]
Labels = NDArray[Any]
"""class numbers (texts,), sets of classes as bool (texts, classes), or real values (texts,)"""

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 5
MOST_TEXTS = 100_000  # learned from; more change little and take long
FOLDED_TEXTS = 10_000  # of these, the ones on which the strength is chosen
FOLDED_SETS = 100_000  # of sets, texts times labels: each label is a model of its own
MOST_WEIGHTS = 20_000_000  # 160 MB: words times classes; the rarer words are left out


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline."""

    strength: float
    """scikit-learn's C, chosen"""
    learned: int
    """texts"""
    folded: NDArray[np.int64]
    """the texts whose label was predicted by models that had not seen it, rising"""
    out_of_fold: Floats
    """(folded, classes) probabilities of these; (folded,) real values"""
    _words: Any
    _model: _Linear

    def answers(self, texts: Sequence[str]) -> Floats:
        """Probabilities (texts, classes); of real values the values themselves (texts,)."""
        return self._model.answers(self._words.transform(texts))


def fit_baseline(
    texts: Sequence[str], labels: Labels, classes: int, kind: str = "single", seed: int = 0
) -> Baseline:
    """Choose the strength by cross-validation and learn from all texts.

    Args:
        texts: to learn from; of more than `MOST_TEXTS` so many are drawn.
        labels: of each text.
        classes: how many there are; a class without a text is never answered.
        kind: "single" and "ordinal" (class numbers), "multi" (sets), "real" (values).
        seed: of the draws.

    Raises:
        InputError: the labels are all the same, or no text has a word.
    """
    generator = np.random.default_rng(seed)
    kept = _drawn(len(texts), MOST_TEXTS, generator)
    learned, known = [texts[i] for i in kept], labels[kept]
    if len(np.unique(known, axis=0)) < 2:
        raise InputError("the baseline needs two different labels at least")
    among = _drawn(len(learned), folded_texts(classes, kind), generator)
    strength, out_of_fold = _validated(
        [learned[i] for i in among], known[among], classes, kind, generator
    )
    words = _vectorizer(classes)
    model = _Linear(kind, classes).fit(_counted(words, learned), known, strength)
    folded = kept[among] if len(out_of_fold) else kept[:0]
    return Baseline(strength, len(learned), folded, out_of_fold, words, model)


def folded_texts(classes: int, kind: str) -> int:
    """How many texts the strength is chosen on, at most."""
    return min(FOLDED_TEXTS, FOLDED_SETS // classes) if kind == "multi" else FOLDED_TEXTS


def _drawn(there_are: int, most: int, generator: np.random.Generator) -> NDArray[np.int64]:
    if there_are <= most:
        return np.arange(there_are)
    return np.sort(generator.permutation(there_are)[:most])


def _vectorizer(classes: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    most = MOST_WEIGHTS // max(1, classes)
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=most)


def _counted(words: Any, texts: Sequence[str]) -> Any:
    try:
        return words.fit_transform(texts)
    except ValueError as error:  # scikit-learn's "empty vocabulary"
        raise InputError(f"the baseline finds no word in the texts ({error})") from None


def _validated(
    texts: list[str], labels: Labels, classes: int, kind: str, generator: np.random.Generator
) -> tuple[float, Floats]:
    """The best strength, and what it answers on the texts of each fold; 1 and nothing if few."""
    folds = _folds(labels, kind, generator)
    if folds is None:
        return 1.0, np.empty((0,))
    shape = (
        (len(STRENGTHS), len(texts)) if kind == "real" else (len(STRENGTHS), len(texts), classes)
    )
    answers = np.zeros(shape)
    for fold in range(folds.max() + 1):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        words = _vectorizer(classes)
        counted = _counted(words, [texts[i] for i in inside])
        held_out = words.transform([texts[i] for i in outside])
        model = _Linear(kind, classes)
        for i, strength in enumerate(STRENGTHS):  # rising, each from where the last one ended
            answers[i, outside] = model.fit(counted, labels[inside], strength).answers(held_out)
    best = max(range(len(STRENGTHS)), key=lambda i: _goodness(answers[i], labels, kind))
    return STRENGTHS[best], answers[best]


def _folds(labels: Labels, kind: str, generator: np.random.Generator) -> NDArray[np.int64] | None:
    """The fold of each text: each class is dealt evenly. None where two classes have no two."""
    if kind in ("multi", "real"):
        count = min(FOLDS, len(labels) // 2)
        return generator.permutation(np.arange(len(labels)) % count) if count > 1 else None
    counts = np.sort(np.bincount(labels))[::-1]
    count = min(FOLDS, int(counts[1]))  # two classes at least stay in every training part
    if count < 2:
        return None
    folds = np.empty(len(labels), np.int64)
    for number in np.unique(labels):
        mine = generator.permutation(np.flatnonzero(labels == number))
        folds[mine] = np.arange(len(mine)) % count
    return folds


def _goodness(answers: Floats, labels: Labels, kind: str) -> tuple[float, float]:
    """Higher is better; the second figure decides where the first one is the same.

    Accuracy (of sets, F1 over all pairs at the threshold that suits them) and then log loss; of
    values the squared error.
    """
    if kind == "real":
        return -float(((answers - labels) ** 2).mean()), 0.0
    if kind == "multi":
        likely = np.where(labels, answers, 1 - answers)
        share = _best_f1(answers.ravel(), labels.ravel())
    else:
        likely = answers[np.arange(len(labels)), labels]
        share = float((answers.argmax(1) == labels).mean())
    return share, float(np.log(np.clip(likely, np.finfo(np.float64).eps, 1.0)).mean())


def _best_f1(answers: Floats, labels: Labels) -> float:
    """Over all thresholds; equal answers cannot be told apart."""
    order = np.argsort(-answers, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(answers[order]) < 0, True))
    f1 = 2 * np.cumsum(labels[order])[ends] / (ends + 1 + labels.sum())
    return float(f1.max())


class _Linear:
    """One linear model a kind of target; classes that it has not seen get probability 0."""

    def __init__(self, kind: str, classes: int) -> None:
        self.kind = kind
        self.classes = classes
        self._models: list[tuple[NDArray[np.int64], Any]] = []

    def fit(self, features: Any, labels: Labels, strength: float) -> _Linear:
        """Learn, beginning where the last call ended."""
        targets = list(labels.T) if self.kind == "multi" else [labels]
        if not self._models:
            self._models = [self._new(target) for target in targets]
        for (_, model), target in zip(self._models, targets, strict=True):
            if model is not None:
                _set_strength(model, strength).fit(features, target)
        return self

    def _new(self, target: Labels) -> tuple[NDArray[np.int64], Any]:
        from sklearn.linear_model import LogisticRegression, Ridge

        if self.kind == "real":
            return np.arange(1), Ridge(solver="sparse_cg")
        seen = np.unique(target).astype(np.int64)
        if len(seen) < 2:
            return seen, None
        # Of two classes and few words a text, liblinear is five times as fast (LOG, "TF-IDF of many
        # labels"); it knows no more than two.
        solver = "liblinear" if self.kind == "multi" else "lbfgs"
        return seen, LogisticRegression(solver=solver, max_iter=2000, warm_start=True)

    def answers(self, features: Any) -> Floats:
        """As `Baseline.answers`."""
        if self.kind == "real":
            values: Floats = self._models[0][1].predict(features)
            return values
        if self.kind == "multi":
            return np.stack([_yes(features, *pair) for pair in self._models], axis=1)
        seen, model = self._models[0]
        rows = np.zeros((features.shape[0], self.classes))
        rows[:, seen] = model.predict_proba(features)
        return rows


def _set_strength(model: Any, strength: float) -> Any:
    ridge = "alpha" in model.get_params()
    return model.set_params(alpha=1 / strength) if ridge else model.set_params(C=strength)


def _yes(features: Any, seen: NDArray[np.int64], model: Any) -> Floats:
    """The probability of having a class; certain where all or none of the texts had it."""
    if model is None:
        return np.full(features.shape[0], float(seen[0]))
    probabilities: Floats = model.predict_proba(features)[:, 1]
    return probabilities
