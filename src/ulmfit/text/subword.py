"""The subword tokenizer: for languages without spaces, and for rich morphology.

Byte-pair encoding with bytes to fall back on (Sennrich et al. 2016; Hugging Face `tokenizers`), so
no text has an unknown token. Only its merges are saved: there is no pattern, no component and no
setting that a file from a stranger could bring.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import BpeTrainer

from ulmfit.errors import InputError
from ulmfit.text.characters import CLASSES
from ulmfit.text.coding import Coded, Coder
from ulmfit.text.preparation import prepare
from ulmfit.text.rules import Rules, mark_case
from ulmfit.text.specials import NEWLINE, SPECIALS, escape
from ulmfit.text.subword_text import BYTES, SPACE, to_text
from ulmfit.text.units import Unit, word_units

#: Characters of text that training looks at: enough for 30,000 pieces, and bounded memory.
TRAIN_CHARACTERS = 100_000_000
#: While training, longer runs of letters (Chinese, Thai) are cut.
_TRAIN_RUN = 16
_FEWEST = len(SPECIALS) + 1 + len(BYTES) + 1
_RUN = re.compile(r"[LC]+|D|[^LDC]+")


class SubwordTokenizer:
    """Splits text into pieces that were learned from texts; a piece with `▁` opens a word.

    Of the rules it follows html, spaces, upper, capitalised and lower; the two repetition rules do
    nothing here, since a run of signs is a piece of its own.

    merges: pairs of pieces, the first learned first. alphabet: the characters that are pieces.
    """

    kind = "subword"

    def __init__(
        self, alphabet: Sequence[str], merges: Sequence[tuple[str, str]], rules: Rules
    ) -> None:
        self.rules = rules
        self.alphabet = list(alphabet)
        self.merges = list(merges)
        learned = [left + right for left, right in self.merges]
        numbers = {piece: i for i, piece in enumerate(dict.fromkeys([*alphabet, *BYTES, *learned]))}
        self._model = BPE(numbers, self.merges, byte_fallback=True)
        #: Every token it can give, the case marks aside.
        self.pieces = [NEWLINE, *map(escape, numbers)]
        self._coder = Coder(self._units, collapse_words=False)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        rules: Rules = Rules(),
    ) -> "SubwordTokenizer":
        """Learn pieces from texts (the first 100 million characters of them).

        vocab_size: most tokens in all: special ones, 256 bytes, characters and merges.
        Raises InputError where that is too few, or where there is no text.
        """
        if vocab_size < _FEWEST:
            raise InputError(f"vocab_size is {vocab_size}; subwords need at least {_FEWEST}")
        size = vocab_size - len(SPECIALS) - 1 - len(BYTES)
        trainer = BpeTrainer(
            vocab_size=size, limit_alphabet=max(size // 2, 1), min_frequency=2, show_progress=False
        )
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = WhitespaceSplit()
        tokenizer.train_from_iterator(_training_lines(texts, rules), trainer)
        pieces = tokenizer.get_vocab()
        if not pieces:
            raise InputError("no text to learn subwords from: every text is empty")
        alphabet = sorted((piece for piece in pieces if len(piece) == 1), key=pieces.__getitem__)
        return cls(alphabet, _merges_of(tokenizer), rules)

    def _units(self, form: str) -> tuple[Unit, ...]:
        tokens: list[str] = []
        for mark, run in _runs(form, self.rules):
            tokens += [] if mark is None else [mark]
            tokens += [escape(piece.value) for piece in self._model.tokenize(run)]
        words = sum(unit.words for unit in word_units(form, self.rules))
        return (Unit(tuple(tokens), words),)

    def code(self, texts: Sequence[str]) -> Coded:
        """Return texts as numbered units: what the encoder works on."""
        return self._coder.code(_prepare(text, self.rules) for text in texts)

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text, without `xxbos`."""
        coded = self.code([text])
        units = coded.table.units
        return list(chain.from_iterable(units[code].tokens for code in coded.codes[1:].tolist()))

    def text(self, tokens: Sequence[str]) -> str:
        """Return tokens as the text that they came from; never fails."""
        return to_text(tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` needs, as plain JSON values."""
        return {
            "kind": self.kind,
            "rules": self.rules.to_dict(),
            "alphabet": self.alphabet,
            "merges": [list(pair) for pair in self.merges],
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "SubwordTokenizer":
        """Rebuild a tokenizer; InputError names the field or the merge that is wrong."""
        if set(fields) != {"kind", "rules", "alphabet", "merges"} or fields["kind"] != cls.kind:
            raise InputError(
                "subword tokenizer: expected exactly the fields kind ('subword'), rules, alphabet "
                "and merges"
            )
        alphabet = _checked_alphabet(fields["alphabet"])
        merges = _checked_merges(fields["merges"], alphabet)
        return cls(alphabet, merges, Rules.from_dict(fields["rules"]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as settings: what is remembered stays behind."""
        return (type(self).from_dict, (self.to_dict(),))


def _prepare(text: str, rules: Rules) -> str:
    return prepare(text, rules).replace(SPACE, "_")


def _runs(form: str, rules: Rules) -> Iterator[tuple[str | None, str]]:
    """Split a surface form into runs of letters, single digits and runs of signs, with case."""
    opening = SPACE
    for found in _RUN.finditer(form.translate(CLASSES)):
        mark, run = mark_case(form[found.start() : found.end()], rules)
        yield mark, opening + run
        opening = ""


def _training_lines(texts: Iterable[str], rules: Rules) -> Iterator[str]:
    seen = 0
    for text in texts:
        seen += len(text)
        for form in _prepare(text, rules).split():
            for _, run in _runs(form, rules):
                yield from (run[i : i + _TRAIN_RUN] for i in range(0, len(run), _TRAIN_RUN))
        if seen > TRAIN_CHARACTERS:
            return


def _merges_of(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    model = json.loads(tokenizer.to_str())["model"]
    return [(left, right) for left, right in model["merges"]]


def _checked_alphabet(alphabet: object) -> list[str]:
    if not isinstance(alphabet, list) or not all(
        isinstance(character, str) and len(character) == 1 and not "\ud800" <= character <= "\udfff"
        for character in alphabet
    ):
        raise InputError("alphabet: expected a list of single characters")
    return alphabet


def _checked_merges(merges: object, alphabet: Sequence[str]) -> list[tuple[str, str]]:
    if not isinstance(merges, list):
        raise InputError("merges: expected a list of pairs of pieces")
    known = set(alphabet)
    for number, pair in enumerate(merges):
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(p in known for p in map(str, pair))
        ):
            raise InputError(
                f"merges[{number}]: {pair!r} is not a pair of characters or earlier merges"
            )
        known.add(pair[0] + pair[1])
    return [(left, right) for left, right in merges]
