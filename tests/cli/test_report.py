"""`ulmfit report`, and the report that `ulmfit train` ends with."""

from pathlib import Path

import pytest

QUICK = ("--no-finetune", "--direction", "forward", "--epochs", 1, "--workers", 1)


@pytest.fixture
def trained(call, tiny, lm, tmp_path):
    """Train anew, and return how it ended and the model's folder."""

    def run(*arguments: object):
        out = tmp_path / "model"
        ended = call("train", tiny / "reviews.csv", "--lm", lm, "--out", out, *QUICK, *arguments)
        return ended, out

    return run


def test_training_ends_with_a_report(trained):
    ended, out = trained("--json")
    assert ended.code == 0, ended.err
    assert ended.json()["report"] == str(out / "report.html")
    page = (out / "report.html").read_text("utf8")
    assert page.startswith("<!doctype html>") and "reviews.csv" in page


def test_a_person_is_told_where_it_is(trained):
    ended, out = trained()
    assert f"report      {out / 'report.html'}" in ended.out


def test_training_without_a_report(trained):
    ended, out = trained("--no-report", "--json")
    assert ended.code == 0, ended.err
    assert "report" not in ended.json()
    assert not (out / "report.html").exists() and (out / "training.jsonl").exists()


def test_a_report_that_fails_does_not_fail_the_training(trained, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("the ink\nran out")

    monkeypatch.setattr("ulmfit.report.page", fail)
    ended, out = trained("--json")
    assert ended.code == 0
    assert ended.json()["report"] is None and (out / "config.json").exists()
    assert "the report was not written (RuntimeError: the ink ran out)" in ended.err
    assert f"ulmfit report {out}" in ended.err and "Traceback" not in ended.err


def test_an_interrupt_leaves_a_whole_model(trained, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ulmfit.report.page", interrupt)
    ended, out = trained("--json")
    assert ended.code == 1 and f"ulmfit report {out}" in ended.json()["error"]
    assert (out / "config.json").exists() and not (out / "report.html").exists()


def test_a_resumed_training_has_a_report_too(call, tiny, lm, tmp_path, monkeypatch):
    out = tmp_path / "model"

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ulmfit.pipeline.classifiers.classify", interrupt)
    assert call("train", tiny / "reviews.csv", "--lm", lm, "--out", out, *QUICK).code == 1
    monkeypatch.undo()
    ended = call("resume", f"{out}.run", "--json")
    assert ended.code == 0, ended.err
    assert (out / "report.html").exists() and ended.json()["report"]


def test_a_report_is_made_again_and_of_other_data(call, tiny, classifier):
    first = classifier / "report.html"
    first.unlink()
    ended = call("report", classifier, "--json")
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["report"] == str(first) and told["lacks"] == []
    assert told["bytes"] == first.stat().st_size
    before = first.read_bytes()
    ended = call("report", classifier, tiny / "reviews.csv", "--rows", 10)
    assert ended.code == 0, ended.err
    assert "report-reviews.html" in ended.out and first.read_bytes() == before
    (classifier / "report-reviews.html").unlink()


def test_a_report_goes_where_it_is_asked_to(call, classifier, tmp_path):
    out = tmp_path / "deep" / "page.html"
    assert call("report", classifier, "-o", out, "--json").json()["report"] == str(out)
    assert out.is_file()


def test_a_language_model_has_a_report(call, lm, tmp_path):
    ended = call("report", lm, "-o", tmp_path / "lm.html", "--json")
    assert ended.code == 0, ended.err
    assert "How it learned" in (tmp_path / "lm.html").read_text("utf8")


def test_what_is_lacking_is_said(call, classifier, tmp_path):
    record = classifier / "training.jsonl"
    kept = record.read_bytes()
    record.unlink()
    try:
        ended = call("report", classifier, "-o", tmp_path / "r.html")
    finally:
        record.write_bytes(kept)
    assert ended.code == 0, ended.err
    assert "lacks: There is no training.jsonl" in ended.out


WRONG = [
    (("nothing",), "nothing"),
    (("{tiny}",), "no model bundle"),
    (("{lm}", "{tiny}/reviews.csv"), "a classifier is needed"),
    (("{model}", "{tiny}/nothing.csv"), "nothing.csv"),
    (("{model}", "{tiny}/text.txt"), "label"),
    (("{model}", "{tiny}/reviews.csv", "--label", "wings"), "wings"),
    (("{model}", "--rows", "0"), "--rows"),
    (("hf://user/name",), "say in which file"),
    (("{model}", "--device", "tpu9"), "tpu9"),
]


@pytest.mark.parametrize(("words", "match"), WRONG, ids=[" ".join(w) for w, _ in WRONG])
def test_a_wrong_call_is_told(call, tiny, lm, classifier, tmp_path, words, match):
    out = tmp_path / "r.html"
    filled = [w.format(tiny=tiny, lm=lm, model=classifier) for w in words]
    where = () if "hf://" in words[0] else ("-o", out)
    ended = call("report", *filled, *where, "--json")
    assert ended.code == 2, ended
    assert match in ended.json()["error"] and "Traceback" not in ended.err
    assert not out.exists()


def test_labels_the_model_does_not_know_are_named(call, classifier, put, tmp_path):
    data = put("new.csv", "text,label\na film,splendid\n")
    ended = call("report", classifier, data, "-o", tmp_path / "r.html", "--json")
    assert ended.code == 2
    assert "new.csv:2: label 'splendid'" in ended.json()["error"]


def test_a_broken_record_is_named(call, classifier, tmp_path):
    record: Path = classifier / "training.jsonl"
    kept = record.read_bytes()
    record.write_bytes(kept[: len(kept) // 2])
    try:
        ended = call("report", classifier, "-o", tmp_path / "r.html", "--json")
    finally:
        record.write_bytes(kept)
    assert ended.code == 2 and "training.jsonl: not a record" in ended.json()["error"]
