"""A text and a classifier -> the answer, and what each word of the text did for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.explanations.occlusion import falls_without
from ulmfit.explanations.quantity import quantity_of
from ulmfit.explanations.screening import pooled_part, telling_words
from ulmfit.explanations.words import read
from ulmfit.predict import Predictor
from ulmfit.targets.decisions import decide
from ulmfit.vectors import check_several


@dataclass(frozen=True)
class Word:
    """A word of the user's text."""

    start: int
    end: int
    text: str
    """the characters from `start` up to `end`"""
    score: float
    """how far the log-odds of the label in nats (or the value) fall without it; above 0: for it"""


@dataclass(frozen=True)
class Explanation:
    """An answer and the words that moved it."""

    text: str
    label: str | None
    """the label that is explained; None for a real value"""
    predicted: str | None
    """the answer, of several labels the most probable one; None for a real value"""
    probability: float | None
    """of `label`"""
    value: float | None
    """of a real-valued model"""
    probabilities: dict[str, float]
    words: tuple[Word, ...]
    """in the order of the text, without overlap; what lies between them has no score"""

    def top(self, count: int = 10) -> list[Word]:
        """The words that moved the answer most, for or against, the strongest first."""
        moved = [word for word in self.words if word.score]
        return sorted(moved, key=lambda word: -abs(word.score))[:count]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


def explain(model: Bundle | Predictor, text: str, *, label: str | None = None) -> Explanation:
    """Tell which words of a text moved a classifier's answer, and how far.

    A word's score is how far the answer, the mean of the directions, falls when the word is cut
    out of the text (Li et al. 2016; how faithful: LOG, "Words that moved the answer"). Of a long
    text only the words that gradients put first are tried, and only what the model pools is
    looked at (`explanations.screening`), so that time and memory are bounded.

    Args:
        model: a classifier, or its predictor where several texts are explained.
        text: any; the words keep its spelling.
        label: the label to explain; None takes the predicted one, of several the most probable.

    Raises:
        InputError: the bundle is no classifier, it knows no such label, or there is no text.

    Example:
        >>> import ulmfit
        >>> told = ulmfit.explain(ulmfit.load("model"), "A lovely film!", label="pos")
        >>> told.label, [word.text for word in told.words]
        ('pos', ['A', 'lovely', 'film', '!'])
    """
    if not text or text.isspace():
        raise InputError("there is no text to explain")
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    if predictor.target.kind == "real":
        return _value(predictor, text, label)
    probabilities = next(iter(predictor.probabilities([text])))
    if predictor.target.kind == "multi":
        predicted = int(probabilities.argmax())
    else:
        predicted = int(decide(probabilities[None], predictor.target.kind)[0])
    chosen = predicted if label is None else _number(label, predictor.labels)
    return Explanation(
        text,
        label=predictor.labels[chosen],
        predicted=predictor.labels[predicted],
        probability=float(probabilities[chosen]),
        value=None,
        probabilities=dict(zip(predictor.labels, probabilities.tolist(), strict=True)),
        words=_words(predictor, text, chosen),
    )


def explain_many(
    model: Bundle | Predictor, texts: Iterable[str], *, label: str | None = None
) -> Iterator[Explanation]:
    """As `explain`, one text after another, in order.

    Raises:
        InputError: as `explain`, or `texts` is one string.
    """
    check_several(texts)
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    return (explain(predictor, text, label=label) for text in texts)


def _value(predictor: Predictor, text: str, label: str | None) -> Explanation:
    if label is not None:
        raise InputError(f"label {label!r}: this model answers with a value and knows no labels")
    value = float(next(iter(predictor.values([text]))))
    return Explanation(text, None, None, None, value, {}, _words(predictor, text, None))


def _number(label: str, labels: list[str]) -> int:
    if label not in labels:
        known = ", ".join(map(repr, labels))
        raise InputError(f"label {label!r} is none of the model's: {known}")
    return labels.index(label)


def _words(predictor: Predictor, text: str, label: int | None) -> tuple[Word, ...]:
    """The words with their scores; 0 for those that were not tried."""
    reading = read(text, predictor.encoder.tokenizer)
    part = pooled_part(text, reading, predictor)
    seen = reading if part.text == text else read(part.text, predictor.encoder.tokenizer)
    tried = telling_words(predictor, part.text, seen, quantity_of(predictor.target, label or 0))
    spans = [seen.spans[word] for word in tried]
    falls = falls_without(predictor, part.text, spans, label)
    score_at = {
        part.place(start): float(fall) for (start, _), fall in zip(spans, falls, strict=True)
    }
    return tuple(
        Word(start, end, text[start:end], score_at.get(start, 0.0)) for start, end in reading.spans
    )
