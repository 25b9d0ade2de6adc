"""WikiText: the published token counts, the articles, and every character."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulmfit.data.sources import read_rows
from ulmfit.data.wikitext import undo_tokenisation
from ulmfit.errors import InputError

# Tokens as published (Merity et al. 2017), and the number of articles.
PUBLISHED = {
    "wikitext-2/wiki.train.tokens": (2_088_628, 600),
    "wikitext-2/wiki.valid.tokens": (217_646, 60),
    "wikitext-2/wiki.test.tokens": (245_569, 60),
    "wikitext-103/wiki.valid.tokens": (217_646, 60),
    "wikitext-103/wiki.test.tokens": (245_569, 60),
}


@pytest.mark.parametrize(("name", "figures"), PUBLISHED.items())
def test_tokens_add_up_to_the_published_count(
    shared: Path, name: str, figures: tuple[int, int]
) -> None:
    rows = list(read_rows([shared / name]))
    counts = [row.fields["tokens"] for row in rows]
    assert (sum(n for n in counts if isinstance(n, int)), len(rows)) == figures


def test_no_character_is_lost(shared: Path) -> None:
    path = shared / "wikitext-2" / "wiki.valid.tokens"
    written = path.read_text("utf-8")
    for mark in "-,.":
        written = written.replace(f"@{mark}@", mark)
    read = "".join(row.text for row in read_rows([path]))
    assert "".join(read.split()) == "".join(written.split())


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("about 0 @.@ 7 – 2 @.@ 2 kg ( 1 @.@ 5 lb ) .", "about 0.7–2.2 kg (1.5 lb)."),
        ('only " lobster red " on cooking', 'only "lobster red" on cooking'),
        ("a two @-@ year , $ 33 @,@ 000 deal", "a two-year, $33,000 deal"),
        ("it wasn 't O 'Brien 's", "it wasn't O'Brien's"),
        ("the characters ' turns", "the characters' turns"),
        ("the song ' Hello ' was", "the song 'Hello' was"),
        ("= = <unk> history = =", "= = <unk> history = ="),
        ("1 rad / s ; [ sic ] 50 %", "1 rad/s; [sic] 50%"),
        ("the war — he said – ended", "the war — he said – ended"),
        ("", ""),
    ],
)
def test_the_tokenisation_is_undone(tokens: str, text: str) -> None:
    assert undo_tokenisation(f" {tokens} \n") == text


def test_articles_begin_at_titles_and_not_at_formulas(tmp_path: Path) -> None:
    path = tmp_path / "a.tokens"
    path.write_text(
        " preamble \n \n = One = \n \n = = Part = = \n \n text \n = 1 rad / s = \n more \n"
        " \n = Two @-@ B = \n \n end \n"
    )
    rows = list(read_rows([path]))
    assert [row.line for row in rows] == [1, 11]
    assert rows[1].fields["title"] == "Two-B"
    assert rows[0].text.startswith("preamble\n\n= One =\n\n= = Part = =\n\ntext\n= 1 rad/s =")
    lines = path.read_text().split("\n")[:-1]
    assert sum(len(line.split()) + 1 for line in lines) == sum(
        n for row in rows if isinstance(n := row.fields["tokens"], int)
    )


def test_a_bad_byte_costs_its_own_article_only(tmp_path: Path) -> None:
    path = tmp_path / "a.tokens"
    path.write_bytes(b" \n = One = \n \n a \n \n = T\xffo = \n \n b \n \n = Three = \n \n c \n")
    with pytest.raises(InputError, match="line 6: byte 0xff"):
        list(read_rows([path]))
    rows = read_rows([path], skip_bad_rows=True)
    assert [row.fields["title"] for row in rows] == ["One", "Three"]
