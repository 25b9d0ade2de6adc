"""The subword tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.errors import InputError
from ulmfit.text import Rules, SubwordTokenizer, build_encoder
from ulmfit.text.specials import SPECIALS

TEXTS = [
    "The cats sat on the mats, and the rats sat on the cats.",
    "Der Katzenfreund freut sich; die Katzen freuen sich nicht.",
    "日本語のテキスト。日本の猫。 xxbos xxbos xxbos",
] * 20
TOKENIZER = SubwordTokenizer.train(TEXTS, 420)
KEEP_CASE = Rules(lower=False, upper=False, capitalised=False)


def test_frequent_words_are_one_piece_and_no_character_is_unknown() -> None:
    assert TOKENIZER.tokens("The cats")[:3] == ["xxmaj", "▁the", "▁cats"]
    encoder = build_encoder(lambda: TEXTS, kind="subword", max_vocab=420)
    assert encoder.decode(encoder.encode("né 😀 \x00猫 Ω")) == "né 😀 猫 Ω"
    assert 0 not in encoder.encode("né 😀 猫 Ω")


def test_vocabulary_by_falling_frequency_with_every_byte() -> None:
    encoder = build_encoder(lambda: TEXTS, kind="subword", max_vocab=420)
    assert len(encoder.vocab) <= 420
    assert encoder.vocab.counts[8:] == sorted(encoder.vocab.counts[8:], reverse=True)
    assert {f"<0x{byte:02X}>" for byte in range(256)} <= set(encoder.vocab.tokens)


def test_case_line_ends_and_signs_come_back() -> None:
    text = "The CATS' (Katzen-Freund) <0x41> 3.14!!!\nEnde: l'été"
    assert TOKENIZER.text(TOKENIZER.tokens(text)) == text


def test_names_of_special_tokens_are_ordinary_text() -> None:
    for name in SPECIALS:
        tokens = TOKENIZER.tokens(f"a {name} xx{name}")
        assert not set(tokens) & set(SPECIALS)
        assert TOKENIZER.text(tokens) == f"a {name} xx{name}"


@given(st.text(max_size=60))
def test_any_text_comes_back_but_for_its_spaces(text: str) -> None:
    tokenizer = SubwordTokenizer(TOKENIZER.alphabet, TOKENIZER.merges, Rules(html=False))
    tokens = tokenizer.tokens(text)
    assert tokenizer.tokens(tokenizer.text(tokens)) == tokens


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="▁"), max_size=60))
def test_with_case_kept_every_character_comes_back(text: str) -> None:
    rules = Rules(html=False, lower=False, upper=False, capitalised=False)
    tokenizer = SubwordTokenizer(TOKENIZER.alphabet, TOKENIZER.merges, rules)
    assert tokenizer.text(tokenizer.tokens(text)) == text


@given(st.lists(st.sampled_from([*SPECIALS, "<0xFF>", "<0xC3>", "▁", "▁a", "\n", "3"])))
def test_any_pieces_can_be_written(tokens: list[str]) -> None:
    assert isinstance(TOKENIZER.text(tokens), str)


@pytest.mark.parametrize("character", ["a", "!", "1", "日", " ", "\ud800", "\0"])
def test_a_hundred_thousand_equal_characters(character: str) -> None:
    assert len(TOKENIZER.tokens(character * 100_000)) <= 300_002


def test_too_few_pieces_and_no_text_are_refused() -> None:
    with pytest.raises(InputError, match="at least 266"):
        SubwordTokenizer.train(TEXTS, 100)
    with pytest.raises(InputError, match="no text"):
        SubwordTokenizer.train(["", " \n"], 400)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("merges", [["q", "zz"]], r"merges\[0\]"),
        ("merges", "ab", "merges"),
        ("merges", [["a"]], r"merges\[0\]"),
        ("merges", [[["a"], "b"]], r"merges\[0\]"),
        ("alphabet", ["ab"], "alphabet"),
        ("alphabet", ["\ud800"], "alphabet"),
        ("rules", {}, "rules"),
        ("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "(("}}, "fields"),
    ],
)
def test_a_strangers_settings_are_checked(field: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SubwordTokenizer.from_dict({**TOKENIZER.to_dict(), field: value})
