"""Texts -> the encoder that fits them."""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from ulmfit.errors import InputError
from ulmfit.text.encoder import Encoder
from ulmfit.text.parallel import map_chunks
from ulmfit.text.rules import Rules
from ulmfit.text.specials import BEGIN, SPECIALS, UNKNOWN
from ulmfit.text.subword import SubwordTokenizer
from ulmfit.text.tokenizer import WordTokenizer
from ulmfit.text.vocab import Vocab

#: Distinct tokens counted at once (about 500 MB); past it the rarest are dropped.
MAX_COUNTED = 4_000_000
#: Longer tokens are never worth a place in a vocabulary.
MAX_TOKEN = 100


def build_encoder(
    texts: Callable[[], Iterable[str]],
    *,
    kind: str = "word",
    rules: Rules = Rules(),
    max_vocab: int = 30000,
    min_count: int = 2,
    workers: int = 1,
) -> Encoder:
    """Make an encoder whose vocabulary is the commonest tokens of texts.

    texts: a function that gives the texts, so that they can be read more than once.
    kind: "word", or "subword" for languages without spaces or with rich morphology.
    max_vocab: most tokens, special ones included. min_count: fewest times seen.
    workers: processes that count; the encoder does not depend on it.
    Raises InputError where there is no text.
    """
    if kind == "word":
        tokenizer = WordTokenizer(rules)
        counts = count_tokens(texts(), tokenizer, workers=workers)
        vocab = Vocab.from_counts(counts, max_vocab, min_count)
    elif kind == "subword":
        subwords = SubwordTokenizer.train(texts(), max_vocab, rules)
        counts = count_tokens(texts(), subwords, workers=workers)
        pieces = dict.fromkeys(subwords.pieces, 0)
        vocab = Vocab.from_counts({**pieces, **counts}, len(pieces) + len(SPECIALS), 0)
        return Encoder(subwords, vocab)
    else:
        raise InputError(f"kind is {kind!r}; expected 'word' or 'subword'")
    if not counts:
        raise InputError("no text to build a vocabulary from: every text is empty")
    return Encoder(tokenizer, vocab)


def count_tokens(
    texts: Iterable[str], tokenizer: WordTokenizer | SubwordTokenizer, *, workers: int = 1
) -> dict[str, int]:
    """Count the tokens of texts, in parallel and in bounded memory."""
    totals: Counter[str] = Counter()
    least = 1
    for counts in map_chunks(_count, tokenizer, texts, workers=workers):
        for token, count in counts.items():
            totals[token] += count
        while len(totals) > MAX_COUNTED:
            totals = Counter({token: n for token, n in totals.items() if n > least})
            least += 1
    return totals


def _count(tokenizer: WordTokenizer | SubwordTokenizer, chunk: list[str]) -> dict[str, int]:
    coded = tokenizer.code(chunk)
    totals: Counter[str] = Counter()
    codes, counts = np.unique(coded.codes, return_counts=True)
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        for token in coded.table.units[code].tokens:
            totals[token if len(token) <= MAX_TOKEN else UNKNOWN] += count
    del totals[BEGIN]
    return totals
