"""explain, suggest and clean on tiny input: what they print and write, and what they refuse."""

import csv
import io
import json
import os
import re
import sys
from errno import ENOSPC
from pathlib import Path

import pytest


@pytest.fixture
def piped(monkeypatch):
    """Pipe bytes in."""

    def pipe(content: bytes, terminal: bool = False) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(content))
        monkeypatch.setattr(stdin, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, "stdin", stdin)

    return pipe


def test_explain_a_text(call, classifier):
    ended = call("explain", classifier, "the lovely film was AWFUL !")
    assert ended.code == 0, ended.err
    assert re.match(r"(pos|neg): \d+\.\d%\n", ended.out)
    plain = re.sub(r"\{\+|\+\}|\[-|-\]", "", ended.out)
    assert "the lovely film was AWFUL !" in plain
    assert re.search(r"^ +[+-]\d+\.\d\d +\d+\.\d% +lovely$", ended.out, re.MULTILINE)


def test_explain_as_json(call, classifier):
    told = call("explain", classifier, "a lovely film", "--label", "neg", "--json").json()
    (explained,) = told["explanations"]
    assert explained["label"] == "neg" and explained["predicted"] in ("pos", "neg")
    assert [word["text"] for word in explained["words"]] == ["a", "lovely", "film"]
    assert explained["words"][1]["start"] == 2 and told["html"] is None


def test_explain_what_is_piped_in(call, classifier, piped):
    for arguments in ((), ("-",)):
        piped("ein schöner film\n".encode())
        told = call("explain", classifier, *arguments, "--json").json()
        assert told["explanations"][0]["text"] == "ein schöner film\n"


def test_explain_rows_of_a_file_on_a_page(call, classifier, tiny, tmp_path):
    page = tmp_path / "page.html"
    ended = call(
        *("explain", classifier, "--input", tiny / "reviews.csv", "--rows", 3),
        *("--html", page, "--json"),
    )
    assert ended.code == 0, ended.err
    assert len(ended.json()["explanations"]) == 3
    assert page.read_text().count("<section>") == 3


def test_explain_shows_no_sign_that_steers_a_terminal(call, classifier):
    ended = call("explain", classifier, "a \x1b[2J lovely\x9b \u202efilm")
    assert ended.code == 0
    assert not re.search("[\x1b\x9b\u202e]", ended.out)


@pytest.fixture
def pool(tiny, tmp_path_factory):
    """The reviews, their labels taken away."""
    path = tmp_path_factory.mktemp("pool") / "pool.csv"
    path.write_text(re.sub(",(pos|neg)$", ",", (tiny / "reviews.csv").read_text(), flags=re.M))
    return path


def test_suggest(call, classifier, pool, tmp_path):
    out = tmp_path / "next.csv"
    ended = call("suggest", classifier, pool, "-n", 5, "-o", out, "--json")
    assert ended.code == 0, ended.err
    assert ended.json() == {"out": str(out), "rows": 5, "skipped": []}
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 5 and list(rows[0])[:3] == ["id", "text", "label"]
    assert all(row["reason"] and row["predicted"] in ("pos", "neg") for row in rows)


def test_suggest_tells_a_person(call, classifier, pool, tmp_path):
    ended = call("suggest", classifier, pool, "-n", 500, "-o", tmp_path / "n.csv")
    assert "texts written to" in ended.out and "there are no more than" in ended.out


def test_suggest_leaves_out_what_is_labelled(call, classifier, pool, tiny, tmp_path):
    out = tmp_path / "next.csv"
    ended = call(
        *("suggest", classifier, pool, "-o", out, "--json"),
        *("--labelled", tiny / "reviews.csv"),
    )
    assert ended.code == 2 and "no text without a label" in ended.json()["error"]
    assert not out.exists()


@pytest.mark.parametrize("model", ["lm", "classifier"])
def test_clean(call, tiny, tmp_path, model, request):
    data = tmp_path / "data.csv"
    lines = (tiny / "reviews.csv").read_text().splitlines()
    lines[7] = lines[7].replace(",pos", ",neg") if ",pos" in lines[7] else lines[7][:-3] + "pos"
    data.write_text("\n".join(lines) + "\n")
    out = tmp_path / "doubts.jsonl"
    ended = call(
        *("clean", request.getfixturevalue(model), data, "-o", out, "-n", 1, "--json"),
    )
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["rows"] == 40 and told["doubted"] == 1
    assert told["encoder"] == {"lm": "language-model"}.get(model, model)
    (row,) = map(json.loads, out.read_text().splitlines())
    assert row["line"] == 8 and row["file"] == str(data) and row["given"] != row["suggested"]


def test_clean_tells_a_person(call, classifier, tiny, tmp_path):
    ended = call("clean", classifier, tiny / "reviews.csv", "-o", tmp_path / "d.csv")
    assert "of 40 labels" in ended.out and "has seen the labels" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("explain", "MODEL", "good", "--input", "DATA"), "not both"),
        (("explain", "MODEL", " "), "no text to explain"),
        (("explain", "MODEL", "good", "--label", "ugly"), "'neg', 'pos'"),
        (("explain", "MODEL", "good", "--html", "no/page.html"), "no folder no"),
        (("explain", "LM", "good"), "language-model"),
        (("explain", "nowhere", "good"), "nowhere"),
        (("explain", "MODEL", "--input", "nothing.csv"), "nothing.csv"),
        (("explain", "MODEL", "--input", "DATA", "--text", "body"), "body"),
        (("suggest", "LM", "DATA", "-o", "OUT.csv"), "language-model"),
        (("suggest", "MODEL", "DATA", "-o", "OUT.csv", "-n", 20_000), "from 1 to 10,000"),
        (("suggest", "MODEL", "DATA", "-o", "OUT.xyz"), ".csv, .tsv"),
        (("suggest", "MODEL", "nothing.csv", "-o", "OUT.csv"), "nothing.csv"),
        (("suggest", "MODEL", "DATA", "-o", "OUT.csv", "--label", "stars"), "stars"),
        (("suggest", "MODEL", "DATA", "-o", "OUT.csv", "--labelled", "nothing.csv"), "nothing.csv"),
        (("clean", "nowhere", "DATA", "-o", "OUT.csv"), "'nowhere'"),
        (("clean", "LM", "DATA", "-o", "DATA"), "is the input"),
        (("clean", "LM", "DATA", "-o", "OUT.xyz"), ".csv, .tsv"),
        (("clean", "LM", "DATA", "-o", "OUT.csv", "--label", "stars"), "stars"),
        (("clean", "LM", "DATA", "-o", "OUT.csv", "--label", "id"), "two such labels"),
    ],
)
def test_wrong_calls(call, classifier, lm, tiny, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    named = {"MODEL": classifier, "LM": lm, "DATA": tiny / "reviews.csv"}
    before = (tiny / "reviews.csv").read_bytes()
    ended = call(*(named.get(word, word) for word in arguments), "--json")
    assert ended.code == 2, ended
    assert told in ended.json()["error"] and "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == [] and (tiny / "reviews.csv").read_bytes() == before


def test_explain_with_nothing_to_explain(call, classifier, piped):
    piped(b"", terminal=True)
    assert "pipe it in" in call("explain", classifier, "--json").json()["error"]
    piped(b"")
    assert "no text" in call("explain", classifier, "--json").json()["error"]
    piped(b"\xff\xfe\x00")
    assert "no UTF-8" in call("explain", classifier, "--json").json()["error"]


def test_a_page_is_whole_or_not_there(call, classifier, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(ENOSPC, "No space left on device")

    page = tmp_path / "page.html"
    page.write_text("before")
    monkeypatch.setattr("os.fsync", full)
    ended = call("explain", classifier, "good", "--html", page, "--json")
    assert ended.code != 0 and "No space left" in ended.json()["error"]
    assert page.read_text() == "before" and [p.name for p in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "MODEL", "good", "--html", "OUT/page.html"),
        ("suggest", "MODEL", "DATA", "-o", "OUT/next.csv"),
        ("clean", "LM", "DATA", "-o", "OUT/doubts.csv"),
        ("report", "MODEL", "DATA", "--out", "OUT/page.html"),
        ("find-rate", "DATA", "--lm", "LM", "--plot", "OUT/curve.png"),
        ("find-rate", "DATA", "--lm", "LM", "--record", "OUT/sweep.jsonl"),
        ("predict", "MODEL", "DATA", "--out", "OUT/answers.csv"),
    ],
    ids=lambda arguments: f"{arguments[0]} {arguments[-2]}",
)
def test_a_place_that_may_not_be_written_to_is_told_before_the_work(
    call, classifier, lm, tiny, tmp_path, monkeypatch, arguments
):
    refused, access = tmp_path / "locked", os.access
    refused.mkdir()  # root may write anywhere, so the system's answer is made up
    monkeypatch.setattr("os.access", lambda p, m: Path(p) != refused and access(p, m))
    monkeypatch.setattr("ulmfit.predict.Predictor.answers", None)
    named = {"MODEL": classifier, "LM": lm, "DATA": tiny / "reviews.csv"}
    words = (str(named.get(w, w)).replace("OUT", str(refused)) for w in arguments)
    ended = call(*words, "--json")
    assert ended.code == 2 and "you may not write there" in ended.json()["error"], ended
    assert list(refused.iterdir()) == []


def test_suggestions_and_doubts_on_stdout(call, classifier, pool, tiny):
    """The calls without a file: rows alone on stdout, the rest on stderr."""
    ended = call("suggest", classifier, pool, "-n", 3)
    assert ended.code == 0 and "3 texts written to -" in ended.err
    assert len(list(csv.DictReader(ended.out.splitlines()))) == 3
    ended = call("clean", classifier, tiny / "reviews.csv", "-n", 2)
    assert ended.code == 0 and "of 40 labels" in ended.err
    assert ended.out.startswith("file,line,")


def test_labelled_files_are_read_by_the_same_columns_where_they_have_them(
    call, classifier, pool, tiny, tmp_path
):
    renamed, own, done = (tmp_path / name for name in ("pool.csv", "own.csv", "done.csv"))
    for path, source in ((renamed, pool), (own, pool), (done, tiny / "reviews.csv")):
        path.write_text(source.read_text().replace("id,text", "id,utterance", 1))
    own.write_text(pool.read_text())
    words = ("suggest", classifier, renamed, "--text", "utterance", "--json", "-o", "next.csv")
    for labelled in (done, own):
        ended = call(*words, "--labelled", labelled)
        assert ended.code == 2 and "no text without a label" in ended.json()["error"]
