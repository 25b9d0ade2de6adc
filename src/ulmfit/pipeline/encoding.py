"""The user's texts -> an encoder that fits them, and ids on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ulmfit.text.building import count_tokens
from ulmfit.text.encoder import Encoder
from ulmfit.text.specials import SPECIALS
from ulmfit.text.subword import SubwordTokenizer
from ulmfit.text.vocab import Vocab

TextSource = Callable[[], Iterable[str]]
"""gives the texts, each time anew"""
LONGEST = 1_000_000  # characters of a text that a language model reads as one


def domain_encoder(
    texts: TextSource, lm: Encoder, max_vocabulary: int, min_count: int, keep: bool, workers: int
) -> Encoder:
    """An encoder for a domain: the language model's tokenizer, the domain's words.

    Args:
        texts: the domain's texts.
        lm: the language model's encoder; a subword one is kept as it is.
        max_vocabulary: most words, special tokens included.
        min_count: fewest times that a word of the domain is seen.
        keep: fill the places left with the language model's commonest other words, so that a
            word that only the unseen texts hold is still known.
        workers: processes that count.
    """
    if isinstance(lm.tokenizer, SubwordTokenizer):
        return lm
    counts = count_tokens(texts(), lm.tokenizer, workers=workers)
    vocab = Vocab.from_counts(counts, max_vocabulary, min_count)
    return Encoder(lm.tokenizer, filled(vocab, lm.vocab, max_vocabulary) if keep else vocab)


def filled(vocab: Vocab, others: Vocab, size: int) -> Vocab:
    """`vocab` with the first words of `others` that it lacks behind it, up to `size`."""
    known = set(vocab.tokens)
    new = [token for token in others.tokens[len(SPECIALS) :] if token not in known]
    tokens = [*vocab.tokens, *new[: max(0, size - len(vocab))]]
    counts = [*vocab.counts, *[0] * (len(tokens) - len(vocab))]
    return Vocab(tokens, counts)


def cached_encoder(path: Path, make: Callable[[TextSource], Encoder], texts: TextSource) -> Encoder:
    """The encoder saved at `path` by an earlier try, or one made of `texts` and saved there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make(texts).save(path)
    return Encoder.load(path)


def in_pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts; one of more than `LONGEST` characters in pieces, cut where a line or a word ends.

    A file of a folder is a text however long it is; in pieces it can be shared by processes, and
    some of it held out.
    """
    for text in texts:
        start = 0
        while len(text) - start > LONGEST:
            limit = start + LONGEST
            ends = (text.rfind(sign, start + 1, limit) for sign in ("\n", " "))
            end = next((end for end in ends if end > 0), limit)
            yield text[start:end]
            start = end
        yield text[start:] if start else text


def distinct(texts: Iterable[str], but: Iterable[str] = ()) -> Iterator[str]:
    """Each text once, the first time it comes, and none of `but`; remembers 16 bytes a text."""
    seen = set(map(_key, but))
    for text in texts:
        if (key := _key(text)) not in seen:
            seen.add(key)
            yield text


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=16).digest()
