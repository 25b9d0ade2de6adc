"""What of a long text is looked at: the part that is pooled, and its most telling words.

To cut out a word means to read the text again. So of a long text only the part that the model
pools is read, and in it only those words are tried that the gradients put first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ulmfit.data.stream import reverse_document
from ulmfit.explanations.gradients import MIDPOINTS, Quantity, token_scores
from ulmfit.explanations.words import NONE, Reading
from ulmfit.predict import Predictor
from ulmfit.targets.kinds import Floats

POSITIONS = 16_384  # tokens read for one text, all its copies together: seconds on a laptop
FEWEST = 32  # words tried, however long the text is


class Part(NamedTuple):
    """The part of a text that is looked at: its beginning, its end, or both."""

    text: str
    head: int
    """characters of the beginning"""
    shift: int
    """how far a character of the end stands from its place in the whole text"""

    def place(self, character: int) -> int:
        """Where a character of the part stands in the whole text."""
        return character if character < self.head else character + self.shift


def pooled_part(text: str, reading: Reading, predictor: Predictor) -> Part:
    """What the models pool: the last tokens of a text, for a backward model the first."""
    outside = np.ones(len(reading.owner), bool)
    for direction, model in predictor.models.items():
        most = model.pooled_tokens
        outside[slice(most) if direction == "backward" else slice(-most, None)] = False
    gap = np.flatnonzero(outside)
    if not len(gap):
        return Part(text, len(text), 0)
    early, late = reading.owner[: gap[0]], reading.owner[gap[-1] + 1 :]
    head = max((reading.spans[word][1] for word in early if word != NONE), default=0)
    tail = min((reading.spans[word][0] for word in late if word != NONE), default=len(text))
    tail = max(head, tail)
    return Part(f"{text[:head]}\n{text[tail:]}", head, tail - head - 1)


def telling_words(
    predictor: Predictor, text: str, reading: Reading, quantity: Quantity
) -> NDArray[np.int64]:
    """The words to try: all that the model sees; of a long text, the steepest slopes."""
    seen = np.unique(reading.owner[reading.owner != NONE])
    most = max(FEWEST, POSITIONS // len(reading.owner))
    if len(seen) <= most:
        return seen
    strength = np.abs(slopes(predictor, text, reading, quantity))
    return np.sort(np.argsort(-strength, kind="stable")[:most])


def slopes(
    predictor: Predictor,
    text: str,
    reading: Reading,
    quantity: Quantity,
    shares: Sequence[float] = MIDPOINTS,
) -> Floats:
    """(words,): integrated gradients, each word's over its tokens, the mean of the directions."""
    ids = predictor.encoder.encode(text).astype(np.int64)
    total = np.zeros(len(ids))
    for direction, model in predictor.models.items():
        if direction == "backward":
            backward = token_scores(model, reverse_document(ids), quantity, shares)
            total += np.concatenate([backward[:1], backward[:0:-1]])
        else:
            total += token_scores(model, ids, quantity, shares)
    known = reading.owner != NONE
    sums: Floats = np.bincount(reading.owner[known], total[known], len(reading.spans)).astype(float)
    return sums / len(predictor.models)
