"""The word tokenizer: text -> tokens, and back to readable text."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from ulmfit.errors import InputError
from ulmfit.text.coding import Coded, Coder
from ulmfit.text.cutting import part_units
from ulmfit.text.detokenizer import to_text
from ulmfit.text.preparation import prepare
from ulmfit.text.rules import Rules
from ulmfit.text.units import Unit, word_units


class WordTokenizer:
    """Splits text into words, numbers and signs, for languages that write spaces.

    Names of special tokens in a text become other tokens. A line end is the token `"\\n"`;
    blank lines, and line ends at the start and end of a text, leave none.

    >>> WordTokenizer().tokens("Good movie!!!!")
    ['xxmaj', 'good', 'movie', 'xxrep', '4', '!']
    """

    kind = "word"

    def __init__(self, rules: Rules = Rules()) -> None:
        self.rules = rules
        self._coder = Coder(
            self._units, split_part=self._part_units, collapse_words=rules.word_repetition
        )

    def _units(self, form: str) -> tuple[Unit, ...]:
        return word_units(form, self.rules)

    def _part_units(self, part: str) -> tuple[Unit, ...]:
        return part_units(part, self.rules)

    def code(self, texts: Sequence[str]) -> Coded:
        """Return texts as numbered units: what the encoder works on."""
        return self._coder.code(prepare(text, self.rules) for text in texts)

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text, without `xxbos`."""
        coded = self.code([text])
        units = coded.table.units
        return list(chain.from_iterable(units[code].tokens for code in coded.codes[1:].tolist()))

    def text(self, tokens: Sequence[str]) -> str:
        """Return tokens as readable text; never fails."""
        return to_text(tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` needs, as plain JSON values."""
        return {"kind": self.kind, "rules": self.rules.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "WordTokenizer":
        """Rebuild a tokenizer; InputError on an unknown or missing field."""
        if set(fields) != {"kind", "rules"} or fields["kind"] != cls.kind:
            raise InputError("word tokenizer: expected exactly the fields kind ('word') and rules")
        return cls(Rules.from_dict(fields["rules"]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as settings: what is remembered stays behind."""
        return (type(self).from_dict, (self.to_dict(),))
