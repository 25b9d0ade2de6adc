"""predict and pipes: - as the input, - as the output."""

import io
import json
import os
import sys

import pytest


@pytest.fixture
def piped(monkeypatch):
    """Pipe bytes in."""

    def pipe(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return pipe


def rows(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_predict_lines_that_are_piped_in(call, classifier, piped):
    piped("a lovely film\nein schöner film\n".encode())
    ended = call("predict", classifier, "-")
    assert ended.code == 0, ended.err
    assert [row["text"] for row in rows(ended.out)] == ["a lovely film", "ein schöner film"]
    assert all(row["label"] in ("pos", "neg") and row["p_pos"] >= 0 for row in rows(ended.out))
    assert "2 rows written to -" in ended.err


def test_predict_another_format_that_is_piped_in(call, classifier, piped, tmp_path):
    out = tmp_path / "answers.csv"
    piped(b'{"text": "a lovely film", "n": 7}\n')
    ended = call("predict", classifier, "-", "--format", "jsonl", "-o", out)
    assert ended.code == 0, ended.err
    assert out.read_text().startswith("text,n,label,p_neg,p_pos\na lovely film,7,")


def test_predict_a_file_to_stdout(call, classifier, tiny):
    ended = call("predict", classifier, tiny / "reviews.csv", "--json")
    assert ended.code == 0, ended.err
    *answers, last = rows(ended.out)
    assert len(answers) == 40 and last == {"out": "-", "rows": 40, "skipped": []}


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        (b"", ("-",), "empty"),
        (b"\xff\xfe", ("-",), "UTF-8"),
        (b"a film\n", ("-", "-"), "beside other inputs"),
        (b"a film\n", ("-", "texts.csv"), "beside other inputs"),
    ],
)
def test_what_cannot_be_read(call, classifier, piped, content, words, told):
    piped(content)
    ended = call("predict", classifier, *words, "--json")
    assert ended.code == 2 and told in ended.json()["error"]
    assert "/tmp" not in ended.json()["error"]
    assert len(ended.out.splitlines()) == 1, "the error alone"


def test_nothing_is_piped_in(call, classifier, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "name a file" in call("predict", classifier, "-", "--json").json()["error"]


def test_a_named_pipe_is_refused_as_it_can_be_read_once(call, classifier, tmp_path):
    fifo = tmp_path / "texts.csv"
    os.mkfifo(fifo)
    ended = call("evaluate", classifier, fifo, "--json")
    assert ended.code == 2 and "is a pipe" in ended.json()["error"]
