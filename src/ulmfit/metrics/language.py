"""How good a language model is."""

from __future__ import annotations

import math

import numpy as np

from ulmfit.errors import InputError


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
