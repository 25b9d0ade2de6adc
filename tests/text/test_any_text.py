"""Whatever a text holds: no error, and time in proportion to its length."""

import random
import time

import pytest

from ulmfit.text import WordTokenizer, build_encoder
from ulmfit.text.specials import SPECIALS

TOKENIZER = WordTokenizer()
_WORDS = (
    r"😀 👨‍👩‍👧 🇩🇪 שלום مرحبا é ß ŉ İ ı ﬁ ǅ ͅ １ ½ 日本 ' 's n't \ \n \xxbos @-@ www. http:// "
    r"xxbos xxrep 3 xxwrep <br /> &amp; &#0; &#55296; &#9999999; aaa AAAA ... -- - <unk>"
)
_CODES = "\ud800 \udc00 \ud83d\ude00 \0 \u202e e\u0301\u0301 \ufeff \ufffe \U0010ffff"
#: Characters and strings that have broken tokenizers.
NASTY = [
    *_WORDS.split(),
    *_CODES.split(" "),
    *["\x1c", "\x85", "\u2028", "\n", "\r\n", " ", "#39;", "quot;"],
]


def _random_text(source: random.Random) -> str:
    def piece() -> str:
        kind = source.random()
        if kind < 0.4:
            return source.choice(NASTY)
        return chr(source.randrange(0x80 if kind < 0.6 else 0x500 if kind < 0.8 else 0x110000))

    return "".join(piece() for _ in range(source.randrange(20)))


def _check(count: int) -> None:
    source = random.Random(20180118)
    encoder = build_encoder(lambda: ["the cat"] * 2)
    specials = set(SPECIALS) - {"xxrep", "xxwrep", "xxup", "xxmaj"}
    for _ in range(count // 100):
        texts = [_random_text(source) for _ in range(100)]
        encoded = encoder.encode_batch(texts)
        assert len(encoded.offsets) == 101
        for text in texts:
            tokens = TOKENIZER.tokens(text)
            assert not specials.intersection(tokens)
            TOKENIZER.text(tokens).encode()


def test_random_strings() -> None:
    _check(3_000)


@pytest.mark.slow
def test_a_hundred_thousand_random_strings() -> None:
    _check(100_000)


_UNITS = r"a A ! . 1 日 ' 😀 aaab no- 1, U. a@ &amp; <br & http:// www. xxbos"


@pytest.mark.parametrize(
    "unit",
    [
        *_UNITS.split(),
        *[
            r"\n",
            "@-@",
            "a'",
            "#39;",
            "\ud800",
            "\0",
            "\n",
            " ",
            "no ",
            "- ",
            "<b a=",
            "<b ",
            "e\u0301",
        ],
    ],
)
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        TOKENIZER.text(WordTokenizer().tokens(text))
        return time.process_time() - start

    short = seconds(10_000)
    assert seconds(80_000) < max(8 * 6 * short, 0.5)


@pytest.mark.parametrize(
    ("character", "tokens"),
    [
        ("a", ["xxrep", "1000000", "a"]),
        ("A", ["xxup", "xxrep", "1000000", "a"]),
        ("!", ["xxrep", "1000000", "!"]),
        ("1", ["1" * 1_000_000]),
        (" ", []),
        ("\n", []),
    ],
)
def test_a_million_equal_characters(character: str, tokens: list[str]) -> None:
    text = character * 1_000_000
    assert TOKENIZER.tokens(text) == tokens
    assert TOKENIZER.text(tokens) == text.strip()
