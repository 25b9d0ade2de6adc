"""Tokenizer and vocabulary together: text <-> ids, saved as one file of JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ulmfit.errors import InputError
from ulmfit.files import write_atomically
from ulmfit.text.preparation import replace_surrogates
from ulmfit.text.specials import BEGIN_ID
from ulmfit.text.subword import SubwordTokenizer
from ulmfit.text.tokenizer import WordTokenizer
from ulmfit.text.unit_ids import UnitIds
from ulmfit.text.vocab import Vocab

FORMAT_VERSION = 1
_FIELDS = {"format_version", "tokenizer", "tokens", "counts"}


class EncodedTexts(NamedTuple):
    """Ids of several texts end to end, `offsets[i]:offsets[i + 1]` the i-th; and their words."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    words: int


class Encoder:
    """Turns texts into ids and back.

    tokenizer: how a text is split.
    vocab: the ids of its tokens.
    """

    def __init__(self, tokenizer: WordTokenizer | SubwordTokenizer, vocab: Vocab) -> None:
        self.tokenizer = tokenizer
        self.vocab = vocab
        self._unit_ids: UnitIds | None = None

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the ids of a text, `xxbos` first. Any string is accepted."""
        return self.encode_batch([text]).ids

    def encode_batch(self, texts: Sequence[str]) -> EncodedTexts:
        """Encode several texts at once: the same ids, less overhead for short ones."""
        coded = self.tokenizer.code(texts)
        unit_ids = self._unit_ids
        if unit_ids is None or unit_ids.table is not coded.table:
            unit_ids = self._unit_ids = UnitIds(coded.table, self.vocab)
        ids = unit_ids.ids(coded.codes)
        starts = np.flatnonzero(ids == BEGIN_ID)
        return EncodedTexts(ids, np.append(starts, len(ids)).astype(np.int64), coded.words)

    def decode(self, ids: ArrayLike) -> str:
        """Return ids as readable text; InputError on an id that the vocabulary lacks."""
        numbers = np.asarray(ids).ravel().tolist()
        for number in numbers:
            if not isinstance(number, int) or not 0 <= number < len(self.vocab):
                raise InputError(
                    f"token id {number}: expected whole numbers from 0 to {len(self.vocab) - 1}"
                )
        return self.tokenizer.text([self.vocab.tokens[number] for number in numbers])

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` needs, as plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "tokenizer": self.tokenizer.to_dict(),
            "tokens": self.vocab.tokens,
            "counts": self.vocab.counts,
        }

    @classmethod
    def from_dict(cls, fields: object) -> "Encoder":
        """Rebuild an encoder; InputError names the field that is wrong."""
        if not isinstance(fields, Mapping) or set(fields) != _FIELDS:
            raise InputError(f"expected an object with exactly the keys {sorted(_FIELDS)}")
        if fields["format_version"] != FORMAT_VERSION:
            raise InputError(
                f"format_version is {fields['format_version']!r}; this release reads "
                f"{FORMAT_VERSION}"
            )
        return cls(_tokenizer(fields["tokenizer"]), _vocab(fields["tokens"], fields["counts"]))

    def save(self, path: Path) -> None:
        """Write the encoder as JSON, whole or not at all."""
        write_atomically(path, json.dumps(self.to_dict(), indent=0).encode())

    @classmethod
    def load(cls, path: Path) -> "Encoder":
        """Read :meth:`save`'s file; InputError if it is missing, damaged or of another make."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls.from_dict(fields)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{path}: not a JSON file ({error})") from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as settings, for worker processes: what is remembered stays behind."""
        return (type(self).from_dict, (self.to_dict(),))


def _tokenizer(fields: object) -> WordTokenizer | SubwordTokenizer:
    if not isinstance(fields, Mapping):
        raise InputError("tokenizer: expected an object")
    if fields.get("kind") == WordTokenizer.kind:
        return WordTokenizer.from_dict(fields)
    if fields.get("kind") == SubwordTokenizer.kind:
        return SubwordTokenizer.from_dict(fields)
    raise InputError(f"tokenizer: its kind is {fields.get('kind')!r}; expected 'word' or 'subword'")


def _vocab(tokens: object, counts: object) -> Vocab:
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError("tokens: expected a list of strings")
    for place, token in enumerate(tokens):
        if not token or replace_surrogates(token) != token:
            raise InputError(f"tokens[{place}]: {token!r} is no text")
    if not isinstance(counts, list) or not all(
        type(count) is int and count >= 0 for count in counts
    ):
        raise InputError("counts: expected a list of whole numbers, none below 0")
    return Vocab(tokens, counts)
