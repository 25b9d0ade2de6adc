"""Tokens <-> ids."""

from collections.abc import Iterable, Mapping, Sequence

from ulmfit.errors import InputError
from ulmfit.text.specials import SPECIALS, UNKNOWN_ID


class Vocab:
    """The tokens by id: the special ones first, then the others by falling frequency.

    tokens: all tokens; a token's place is its id.
    counts: how often each stood in the corpus (0 where that is not known); of `xxunk`, how often
        a token stood there that is not in the vocabulary.
    """

    def __init__(self, tokens: Sequence[str], counts: Sequence[int] | None = None) -> None:
        self.tokens = list(tokens)
        self.counts = [0] * len(self.tokens) if counts is None else list(counts)
        if tuple(self.tokens[: len(SPECIALS)]) != SPECIALS:
            raise InputError(f"vocabulary: its first tokens must be {' '.join(SPECIALS)}")
        if len(self.counts) != len(self.tokens):
            raise InputError(
                f"vocabulary: {len(self.counts)} counts for {len(self.tokens)} tokens; "
                "expected one each"
            )
        self._ids = {token: place for place, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            twice = next(token for place, token in enumerate(tokens) if self._ids[token] != place)
            raise InputError(f"vocabulary: the token {twice!r} stands twice")

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], max_size: int = 30000, min_count: int = 2
    ) -> "Vocab":
        """Take the most frequent tokens.

        counts: token -> number of times; special tokens among them are counted, not added.
        max_size: most tokens in all, special ones included (30,000: Howard and Ruder 2018).
        min_count: fewest times a token must have been seen.

        >>> Vocab.from_counts({"b": 2, "a": 2, "c": 5, "d": 1}).tokens[8:]
        ['c', 'a', 'b']
        """
        if max_size < len(SPECIALS):
            raise InputError(f"max_size is {max_size}; at least {len(SPECIALS)} are special tokens")
        enough = [token for token, n in counts.items() if n >= min_count and token not in SPECIALS]
        enough.sort(key=lambda token: (-counts[token], token))
        tokens = [*SPECIALS, *enough[: max_size - len(SPECIALS)]]
        kept = [counts.get(token, 0) for token in tokens]
        kept[UNKNOWN_ID] += sum(counts.values()) - sum(kept)
        return cls(tokens, kept)

    @property
    def oov_rate(self) -> float:
        """The share of the corpus's tokens that are out of this vocabulary; 0 if not counted."""
        return self.counts[UNKNOWN_ID] / max(sum(self.counts), 1)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def id(self, token: str) -> int:
        """Return a token's id, 0 (`xxunk`) if it has none."""
        return self._ids.get(token, UNKNOWN_ID)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of many tokens."""
        known = self._ids.get
        return [known(token, UNKNOWN_ID) for token in tokens]

    def token(self, i: int) -> str:
        """Return the token of an id; IndexError if there is none."""
        if i < 0:
            raise IndexError(f"token id {i}: ids are 0 to {len(self) - 1}")
        return self.tokens[i]
