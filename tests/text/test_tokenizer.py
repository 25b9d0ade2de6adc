"""The word tokenizer: what becomes of a text, and the way back."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.errors import InputError
from ulmfit.text import PAPER_RULES, WordTokenizer
from ulmfit.text.specials import SPECIALS

TOKENIZER = WordTokenizer()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Good movie!!!!", "xxmaj good movie xxrep 4 !"),
        ("don't can't it's I'll DON'T", "do n't ca n't it 's xxmaj i 'll xxup do xxup n't"),
        ("don\u2019t", "do n't"),
        ("do n't dog 's", "do n't dog 's"),
        ("the dogs' owner", "the dogs ' owner"),
        ("l'homme d\u2019Italie", "l' homme d' xxmaj italie"),
        ("U.S. 3.14 1,000 12:30 R&B", "xxup u.s. 3.14 1,000 12:30 xxup r&b"),
        ("well-known and/or", "well - known and / or"),
        ("yes - no -- ... ok...", "yes – no -- ... ok ..."),
        ("the 1990s, 2nd", "the 1990s , 2nd"),
        ("see http://a.org/b?c=1, or me@a.org.", "see http://a.org/b?c=1 , or me@a.org ."),
        ("VIII XXX", "xxup viii xxup xxx"),
        ("日本語 text", "日 本 語 text"),
        ("हिन्दी می‌خواهم", "हिन्दी می‌خواهم"),
        ("no no no no. no no", "xxwrep 4 no . no no"),
    ],
)
def test_tokens(text: str, tokens: str) -> None:
    assert TOKENIZER.tokens(text) == tokens.split()


def test_line_ends_are_one_token_and_none_at_the_ends() -> None:
    assert TOKENIZER.tokens("\n\n a\r\n \n\nb\n") == ["a", "\n", "b"]
    assert TOKENIZER.text(["a", "\n", "b"]) == "a\nb"
    assert TOKENIZER.tokens(" \n\n ") == TOKENIZER.tokens("") == []


@pytest.mark.parametrize("name", SPECIALS)
@pytest.mark.parametrize("form", ["{}", "{} {}", "({})", "a {}", "<b>{}</b>", "{}'s", "\\{}"])
def test_names_of_special_tokens_in_a_text_are_ordinary_words(name: str, form: str) -> None:
    text = form.format(name, name)
    tokens = TOKENIZER.tokens(text)
    assert not set(tokens) & set(SPECIALS)
    assert name in TOKENIZER.text(tokens)
    assert name.upper() in TOKENIZER.text(TOKENIZER.tokens(text.upper()))


ORDINARY = [
    "Good movie!!!! I LOVED it soooo much; don't you?",
    'He said "hello there" (quietly), and left.',
    "It cost $3.50 in the U.S. - 1,000 times less than O'Brien's.".replace(" - ", " – "),
    "A well-known and/or loooong film: 10% of it was no no no no good...",
    "First line.\nSecond line: NOOOO!!! What?!",
    "From 1990–2000, AT&T 'owned' it.",
    "日本語のテキスト。",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_comes_back_as_it_was(text: str) -> None:
    assert TOKENIZER.text(TOKENIZER.tokens(text)) == text


_WORDS = (
    "a the movie Good BAD I don't it's O'Brien l'homme soooo WOOOOW well-known U.S. 3.14 1,000 no",
    "xxbos XXUP iPhone café İzmir 1990s 12:30 http://a.org/x VIII ... -- –",
)
WORDS = st.sampled_from([word for line in _WORDS for word in line.split()])
SIGNS = st.sampled_from(["", "", "", ".", ",", "!", "!!!!", "?", "...", ";", ")", '"', "%"])
BEFORE = st.sampled_from(["", "", "", "(", '"', "$"])
SENTENCES = st.lists(st.tuples(BEFORE, WORDS, SIGNS).map("".join), max_size=12).map(" ".join)


@given(st.lists(SENTENCES, max_size=3).map("\n".join))
def test_text_and_back_gives_the_same_tokens(text: str) -> None:
    tokens = TOKENIZER.tokens(text)
    assert TOKENIZER.tokens(TOKENIZER.text(tokens)) == tokens


@given(st.lists(st.one_of(st.sampled_from([*SPECIALS, "3", "999999999", "a", "!"]), st.text())))
def test_any_tokens_can_be_written(tokens: list[str]) -> None:
    few = [token for token in tokens if token != "xxwrep"]
    assert isinstance(TOKENIZER.text(few), str)


def test_what_a_model_may_write_stays_short() -> None:
    bomb = ["xxwrep", "999999", "xxrep", "999999", "a"]
    assert len(TOKENIZER.text(bomb)) <= 2_000_000
    assert TOKENIZER.text(["xxrep"]) == TOKENIZER.text(["xxwrep", "3"]) == ""


def test_settings_and_pickles_rebuild_it() -> None:
    tokenizer = WordTokenizer(PAPER_RULES)
    for copy in (
        WordTokenizer.from_dict(tokenizer.to_dict()),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert copy.tokens("Good GOOD") == ["good", "xxup", "good"]
    with pytest.raises(InputError, match="expected exactly the fields"):
        WordTokenizer.from_dict({"kind": "word"})


def test_words_are_counted_as_wikitext_counts_them() -> None:
    path = Path(__file__).parents[3] / "shared/data/wikitext-2/wiki.valid.tokens"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    raw = path.read_text(encoding="utf-8")
    theirs = sum(len(line.split()) + 1 for line in raw.split("\n") if line.strip())
    assert TOKENIZER.code([raw]).words == pytest.approx(theirs, rel=0.002)
    assert TOKENIZER.code(["Good, well-known 1,000.\nYes"]).words == 12
    assert TOKENIZER.code(["xxx Dr. No", "", "soooo!!!!"]).words == 4 + 0 + 6
