"""Numbers in, numbers out: how good a classifier or a language model is.

Classes are integer ids from 0; probabilities are ``(texts, classes)``, each row summing to 1.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ulmfit.errors import InputError

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

Z_95 = 1.959963984540054  # the normal distribution's 97.5% point: a two-sided 95% interval


@dataclass(frozen=True, slots=True)
class Scores:
    """What is known of a classifier after one pass over labelled texts."""

    accuracy: float  # share of texts, 0 to 1
    accuracy_ci: tuple[float, float]  # 95%, Wilson
    macro_f1: float
    log_loss: float  # nats a text
    calibration_error: float  # 0 to 1
    n: int  # texts
    confusion: list[list[int]]  # [true class][predicted class], counts


def score(truth: ArrayLike, probabilities: ArrayLike) -> Scores:
    """All figures at once; the predicted class is the most probable one, the first of equals.

    Raises: InputError as the single figures do.

    >>> score([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).confusion
    [[1, 0], [1, 1]]
    """
    ids, rows = _checked(truth, probabilities)
    predicted = rows.argmax(axis=1)
    right = int((ids == predicted).sum())
    return Scores(
        accuracy=right / len(ids),
        accuracy_ci=wilson_interval(right, len(ids)),
        macro_f1=macro_f1(ids, predicted),
        log_loss=log_loss(ids, rows),
        calibration_error=expected_calibration_error(ids, rows),
        n=len(ids),
        confusion=confusion_matrix(ids, predicted, rows.shape[1]).tolist(),
    )


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the texts whose class was predicted, 0 to 1."""
    ids, guesses = _ids(truth, "truth"), _ids(predicted, "predicted")
    _same_length(ids, guesses)
    return float((ids == guesses).mean())


def wilson_interval(right: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a share of ``right`` among ``n``; it holds for small n and near 0 and 1 too.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    >>> [round(end, 3) for end in wilson_interval(45, 50)]
    [0.786, 0.957]
    """
    if not 0 <= right <= n or n < 1:
        raise InputError(f"{right} right of {n}: there must be 0 <= right <= n and n >= 1")
    share = right / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if right == 0 else (centre - reach) / scale
    high = 1.0 if right == n else (centre + reach) / scale
    return low, high


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> Ids:
    """Counts, ``(true class, predicted class)``."""
    ids, guesses = _ids(truth, "truth"), _ids(predicted, "predicted")
    _same_length(ids, guesses)
    for name, values in (("truth", ids), ("predicted", guesses)):
        if values.max() >= classes:
            raise InputError(f"{name} holds class {values.max()}, but there are {classes} classes")
    counts = np.bincount(ids * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean over the classes of the harmonic mean of precision and recall, 0 to 1.

    A class that is neither in ``truth`` nor in ``predicted`` is left out; one that is never
    predicted rightly counts 0 (scikit-learn's ``f1_score(average="macro", zero_division=0)``).
    """
    ids, guesses = _ids(truth, "truth"), _ids(predicted, "predicted")
    counts = confusion_matrix(ids, guesses, int(max(ids.max(), guesses.max())) + 1)
    either = counts.sum(axis=0) + counts.sum(axis=1)  # (classes,): times true + times predicted
    present = either > 0
    return float((2 * counts.diagonal()[present] / either[present]).mean())


def log_loss(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log probability of the true class, in nats a text.

    A probability of 0 is taken as the smallest step of float64 (2.2e-16), as scikit-learn does,
    so that one wrong certainty does not make the figure infinite.
    """
    ids, rows = _checked(truth, probabilities)
    given = rows[np.arange(len(ids)), ids]
    return float(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)).mean())


def expected_calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Mean distance between how sure a classifier is and how often it is right, 0 to 1.

    Texts are sorted by the probability of the predicted class into ``bins`` of equal width; each
    counts by its number of texts. Source: Guo et al. 2017, sec. 2 (15 bins: their sec. 5).
    """
    if bins < 1:
        raise InputError(f"{bins} bins: at least one is needed")
    ids, rows = _checked(truth, probabilities)
    sure = rows.max(axis=1)
    gap = (rows.argmax(axis=1) == ids) - sure  # (texts,)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)  # (low, high]
    return float(np.abs(np.bincount(place, weights=gap, minlength=bins)).sum() / len(ids))


def nats_per_token(total_nats: float, tokens: int) -> float:
    """Mean loss of a language model, in nats for each predicted token."""
    return _share(total_nats, tokens, "tokens")


def word_perplexity(total_nats: float, words: int) -> float:
    """All nats of a text over its words, as a perplexity; infinite beyond float64.

    Comparable between tokenizers as long as words are counted alike: here as WikiText counts them,
    punctuation apart and line ends included. Source: Merity et al. 2017, "Pointer sentinel mixture
    models", sec. 4 (the count); Mielke 2019, "Can you compare perplexity across different
    segmentations?" (the normalisation).

    >>> round(word_perplexity(total_nats=460.517, words=100), 1)
    100.0
    """
    mean = _share(total_nats, words, "words")
    return math.exp(mean) if mean < math.log(np.finfo(np.float64).max) else math.inf


def bits_per_byte(total_nats: float, size: int) -> float:
    """All nats of a text, in bits, over its ``size`` in UTF-8 bytes: free of any tokenizer."""
    return _share(total_nats, size, "bytes") / math.log(2)


def _share(total_nats: float, count: int, unit: str) -> float:
    if count < 1:
        raise InputError(f"{count} {unit}: a loss per unit needs at least one")
    return total_nats / count


def _checked(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Ids, Floats]:
    ids, rows = _ids(truth, "truth"), np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2:
        raise InputError(f"probabilities have shape {rows.shape}; they must be (texts, classes)")
    _same_length(ids, rows)
    if ids.max() >= rows.shape[1]:
        raise InputError(f"truth holds class {ids.max()}, probabilities end at {rows.shape[1] - 1}")
    wrong = np.flatnonzero(~np.isclose(rows.sum(axis=1), 1.0, atol=1e-3) | (rows < 0).any(axis=1))
    if wrong.size:
        raise InputError(
            f"probabilities of text {wrong[0]} are {rows[wrong[0]]}: not a distribution"
        )
    return ids, rows


def _ids(values: ArrayLike, name: str) -> Ids:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; it must be a list of at least one class")
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise InputError(f"{name} must hold class ids, whole numbers from 0")
    return array.astype(np.int64)


def _same_length(left: NDArray[Any], right: NDArray[Any]) -> None:
    if len(left) != len(right):
        raise InputError(f"{len(left)} true classes, but predictions for {len(right)} texts")
