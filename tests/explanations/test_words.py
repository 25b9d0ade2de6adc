"""Words are the user's own, and every token stands at the word it was made from."""

import random
from itertools import chain

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ulmfit.explanations.alignment import equal_runs
from ulmfit.explanations.spelling import fold, spell
from ulmfit.explanations.words import NONE, base_words, read
from ulmfit.text import SubwordTokenizer, WordTokenizer

WORDS = WordTokenizer()
SUBWORDS = SubwordTokenizer.train(
    ["the movie was great and good, don't you think?"] * 5 + ["我喜歡這部電影", "ยินดีต้อนรับ"] * 5, 400
)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [WORDS, SUBWORDS], ids=["words", "subwords"])
#: What the rules change, and what has broken tokenizers.
_PLAIN = "Good GREAT loooove !!!! ... no aaaa iPhone don't l’homme 3.14 U.S. well-known - –"
_MARKUP = (
    r"&amp; &lt;b&gt; <br /> <b>so</b> @-@ #39; http://a.b/c?d=e x@y.org xxrep xxbos \n <0x41> ▁"
)
_SCRIPTS = "İ ΣΑΣ é ß 日本語 ไทย हिन्दी 👍🏽 👨‍👩‍👧 🇩🇪 ❤️ \ud800 \0 \ufeff \u202e"
PARTS = [
    *_PLAIN.split(),
    *_MARKUP.split(),
    *_SCRIPTS.split(),
    *["no no no", "A A A A", "\n\n", "\r\n", "\u3000", '"quoted"', "<a href='x y'>link</a>"],
]
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=12)


def seen(text: str, tokenizer: WordTokenizer | SubwordTokenizer) -> dict[str, list[str]]:
    """The tokens of each word."""
    reading = read(text, tokenizer)
    tokens = ["xxbos", *tokenizer.tokens(text)]
    assert len(tokens) == len(reading.owner)
    return {
        text[start:end]: [t for t, o in zip(tokens, reading.owner, strict=True) if o == number]
        for number, (start, end) in enumerate(reading.spans)
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Good film", {"Good": ["xxmaj", "good"], "film": ["film"]}),
        ("SO bad", {"SO": ["xxup", "so"], "bad": ["bad"]}),
        ("I don't", {"I": ["xxmaj", "i"], "don't": ["do", "n't"]}),
        ("loooove it!!!", {"loooove": ["love", "xxrep", "4", "o"], "it": ["it"],
                           "!!!": ["xxrep", "3", "!"]}),
        ("no no no way", {"no no no": ["xxwrep", "3", "no"], "way": ["way"]}),
        ("a aaaa", {"a": ["a"], "aaaa": ["xxrep", "4", "a"]}),
        ("the U.S. pays 3.14", {"the": ["the"], "U.S.": ["xxup", "u.s."], "pays": ["pays"],
                                "3.14": ["3.14"]}),
        ("l’homme well–known", {"l’homme": ["l'", "homme"], "well": ["well"], "–": ["–"],
                                "known": ["known"]}),
        ("Tom &amp; Ann", {"Tom": ["xxmaj", "tom"], "&": ["&"], "amp": [], ";": [],
                           "Ann": ["xxmaj", "ann"]}),
        ("at http://a.b/c?d=e.", {"at": ["at"], "http://a.b/c?d=e": ["http://a.b/c?d=e"],
                                  ".": ["."]}),
        ("xxbos (so)", {"xxbos": ["\\xxbos"], "(": ["("], "so": ["so"], ")": [")"]}),
        ("日本", {"日": ["日"], "本": ["本"]}),
        ("👍🏽 🇩🇪", {"👍🏽": ["👍", "🏽"], "🇩🇪": ["🇩", "🇪"]}),
    ],
)  # fmt: skip
def test_words_and_their_tokens(text: str, wanted: dict[str, list[str]]) -> None:
    assert seen(text, WORDS) == wanted


def test_subwords_are_one_word_where_spaces_are_written() -> None:
    assert list(seen("the moviegoers", SUBWORDS)) == ["the", "moviegoers"]


def test_subwords_are_words_where_none_are_written() -> None:
    parts = list(seen("我喜歡日本", SUBWORDS))
    assert "".join(parts) == "我喜歡日本" and len(parts) > 1


def test_dropped_markup_has_no_token() -> None:
    found = seen("so <a href='x y'>good</a> it is", WORDS)
    assert found["good"] == ["good"] and found["href"] == []


@TOKENIZERS
@settings(max_examples=100)
@given(TEXTS)
def test_any_text(tokenizer: WordTokenizer | SubwordTokenizer, parts: list[str]) -> None:
    text = " ".join(parts)
    reading = read(text, tokenizer)
    end = 0
    for start, stop in reading.spans:
        assert end <= start < stop <= len(text)
        assert not text[start].isspace() and not text[stop - 1].isspace()
        end = stop
    assert len(reading.owner) == len(tokenizer.tokens(text)) + 1
    assert reading.owner[0] == NONE
    assert reading.owner.max() < len(reading.spans)


@TOKENIZERS
@settings(max_examples=100)
@given(st.lists(st.text("abcDEF", min_size=1, max_size=8), min_size=1, max_size=30))
def test_plain_words_are_the_words(tokenizer: WordTokenizer | SubwordTokenizer, words) -> None:
    # "da aaa" and "daaa" are the same tokens, so they are one unit to the model and here.
    assume(not any(len(word) > 2 and len(set(word.lower())) == 1 for word in words))
    text = " ".join(words)
    reading = read(text, tokenizer)
    assert (reading.owner[1:] != NONE).all()
    assert (reading.owner[2:] >= reading.owner[1:-1]).all()  # in order
    joined = [text[start:end].split() for start, end in reading.spans]
    assert list(chain.from_iterable(joined)) == words
    for run in joined:  # only a repetition, one token to the model, stands together
        assert len({word.lower() for word in run}) == 1


@given(st.lists(st.sampled_from(PARTS), max_size=8))
def test_base_words_cover_all_but_spaces(parts: list[str]) -> None:
    text = " ".join(parts)
    inside = set()
    for start, end in base_words(text):
        inside |= set(range(start, end))
    assert {i for i, c in enumerate(text) if not c.isspace() and c != "\0"} <= inside


def test_a_long_text_of_differences_takes_linear_time() -> None:
    draw = random.Random(0)
    text = " ".join(draw.choice(PARTS) for _ in range(30_000))
    reading = read(text, WORDS)
    assert len(reading.spans) > 20_000


@given(st.text("ab&;\n", max_size=60), st.text("ab&;\n", max_size=60))
def test_runs_are_equal_and_in_order(a: str, b: str) -> None:
    i = j = 0
    for start, other, length in equal_runs(a, b):
        assert start >= i and other >= j and length > 0
        assert a[start : start + length] == b[other : other + length]
        i, j = start + length, other + length
    assert i <= len(a) and j <= len(b)


@given(st.text(max_size=300))
def test_a_text_agrees_with_itself(text: str) -> None:
    letters, places = fold(text)
    assert len(places) == len(letters)
    runs = list(equal_runs(letters, letters))
    assert runs == ([(0, 0, len(letters))] if letters else [])


@pytest.mark.parametrize("text", ["Good GREAT film!!!!", "loooove no no no", "3.14 U.S. don't"])
def test_tokens_spell_their_text(text: str) -> None:
    assert spell(WORDS.tokens(text)).letters == fold(text)[0]
    assert spell(SUBWORDS.tokens(text)).letters == fold(text)[0]
