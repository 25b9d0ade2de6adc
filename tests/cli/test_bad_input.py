"""Wrong calls and wrong input: exit 2, a message that says what and where, nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def refused(call, tmp_path):
    """Call with --json; assert exit 2, one told error, no traceback and no new file."""

    def run(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        ended = call(*arguments, "--json")
        assert ended.code == 2, ended
        assert sorted(tmp_path.rglob("*")) == before
        assert "Traceback" not in ended.err
        message = ended.json()["error"]
        assert message in ended.err
        return message

    return run


@pytest.fixture
def train_on(refused, lm, tmp_path):
    """`ulmfit train` on a file that must be refused."""

    def run(data: Path, *arguments: object) -> str:
        return refused("train", data, "--lm", lm, "--out", tmp_path / "model", *arguments)

    return run


def test_a_missing_file(train_on, tmp_path):
    assert "nothing.csv" in train_on(tmp_path / "nothing.csv")


def test_a_missing_column(train_on, tiny):
    message = train_on(tiny / "reviews.csv", "--text", "body")
    assert "body" in message and "reviews.csv" in message and "label" in message


def test_no_label_column(train_on, put):
    message = train_on(put("data.csv", "text,stars\nfine,5\nbad,1\n"))
    assert "data.csv" in message and "label" in message


def test_an_empty_file(train_on, put):
    assert "empty.csv" in train_on(put("empty.csv", ""))


def test_a_file_with_a_header_alone(train_on, put):
    train_on(put("header.csv", "text,label\n"))


def test_an_empty_corpus(refused, put, tmp_path, small_lm):
    empty = put("empty.txt", "")
    assert "empty.txt" in refused("pretrain", empty, "--out", tmp_path / "lm", *small_lm)


def test_one_class_only(train_on, put):
    message = train_on(put("one.csv", "text,label\n" + "fine film,pos\n" * 5))
    assert "one.csv" in message and "pos" in message


def test_no_label_at_all(train_on, put):
    message = train_on(put("bare.csv", "text,label\n" + "fine film,\n" * 5))
    assert "bare.csv: no row has a label" in message


def test_a_list_of_json_objects(train_on, put):
    message = train_on(put("list.json", '[{"text": "fine", "label": "pos"}]\n'))
    assert "list.json, line 1: a JSON list" in message and "one object a line" in message


def test_a_class_with_one_row(train_on, put):
    rows = "fine film,pos\n" * 5 + "poor film,neg\n" * 5 + "a film,odd\n"
    message = train_on(put("odd.csv", "text,label\n" + rows))
    assert "odd.csv" in message and "'odd'" in message and "1 row" in message


def test_an_undecodable_byte(train_on, put):
    data = put("bytes.csv", b"text,label\nfine,pos\nb\xffd,neg\nok,pos\nno,neg\n")
    message = train_on(data)
    assert "bytes.csv, line 3: byte 0xff" in message


def test_an_undecodable_byte_in_prediction(refused, call, classifier, put, tmp_path):
    data = put("bytes.csv", b"text,label\nfine,pos\nb\xffd,neg\n")
    assert "line 3" in refused("predict", classifier, data, "-o", tmp_path / "out.csv")
    skipping = ("predict", classifier, data, "-o", tmp_path / "out.csv", "--skip-bad-rows")
    told = call(*skipping, "--json").json()
    assert told["rows"] == 1 and "line 3" in told["skipped"][0]


def test_more_labels_than_there_are(train_on, tiny):
    assert "40" in train_on(tiny / "reviews.csv", "--labels", 1000)


def test_an_unknown_preset(train_on, tiny):
    message = train_on(tiny / "reviews.csv", "--preset", "v3")
    assert "'v3'" in message and "default, v1, v2, scripts" in message


def test_an_unknown_model_name(refused, tiny, tmp_path):
    message = refused("train", tiny / "reviews.csv", "--lm", "en-huge", "--out", tmp_path / "m")
    assert "en-huge" in message


def test_a_direction_that_the_language_model_lacks(refused, call, tiny, tmp_path, small_lm):
    forward = tmp_path / "forward"
    assert call("pretrain", tiny / "text.txt", "--out", forward, *small_lm).code == 0
    message = refused(
        *("train", tiny / "reviews.csv", "--lm", forward, "--out", tmp_path / "m"),
        *("--direction", "both"),
    )
    assert "backward" in message


def test_an_unknown_device(refused, classifier, tiny):
    assert "'tpu9'" in refused("evaluate", classifier, tiny / "reviews.csv", "--device", "tpu9")


def test_a_model_folder_that_is_not_there(refused, tiny, tmp_path):
    missing = tmp_path / "nowhere"
    for command in ("evaluate", "predict"):
        out = ("-o", tmp_path / "out.csv") if command == "predict" else ()
        assert str(missing) in refused(command, missing, tiny / "reviews.csv", *out)


def test_a_language_model_is_no_classifier(refused, lm, tiny, tmp_path):
    assert "classifier" in refused("evaluate", lm, tiny / "reviews.csv")


def test_a_classifier_is_no_language_model(refused, classifier):
    assert "language-model" in refused("generate", classifier, "the")


@pytest.fixture
def broken(classifier, tmp_path):
    """A copy of the classifier to damage."""
    return Path(shutil.copytree(classifier, tmp_path / "broken"))


def test_a_truncated_bundle(refused, broken, tiny, tmp_path):
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    message = refused("predict", broken, tiny / "reviews.csv", "-o", tmp_path / "out.csv")
    assert str(weights) in message and "bytes" in message


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "metrics.json"])
def test_a_bundle_with_a_changed_byte(refused, broken, tiny, name):
    data = bytearray((broken / name).read_bytes())
    data[len(data) // 2] ^= 1
    (broken / name).write_bytes(data)
    message = refused("evaluate", broken, tiny / "reviews.csv")
    assert str(broken / name) in message and "sha256" in message


def test_a_bundle_with_a_file_gone(refused, broken, tiny):
    (broken / "tokenizer.json").unlink()
    assert "tokenizer.json" in refused("evaluate", broken, tiny / "reviews.csv")


def test_a_config_that_is_no_json(refused, broken, tiny):
    (broken / "config.json").write_text("{")
    assert "config.json" in refused("evaluate", broken, tiny / "reviews.csv")


def test_a_label_that_the_model_does_not_know(refused, classifier, put):
    message = refused("evaluate", classifier, put("new.csv", "text,label\nfine,new\n"))
    assert "new.csv:2" in message and "'new'" in message


def test_out_that_exists(refused, call, tiny, lm, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("keep me")
    arguments = ("train", tiny / "reviews.csv", "--lm", lm, "--out", mine)
    assert "exists" in refused(*arguments)
    assert "no model" in refused(*arguments, "--overwrite")
    (mine / "config.json").write_text('{"model_type": "bert"}')  # another program's model
    assert "no model" in refused(*arguments, "--overwrite")
    assert (mine / "notes.txt").read_text() == "keep me"


@pytest.mark.parametrize("out", [".", "/", ""])
def test_out_that_has_no_name(refused, tiny, lm, out):
    assert "--out" in refused("train", tiny / "reviews.csv", "--lm", lm, "--out", out)


def test_predictions_into_a_folder_that_is_not_there(refused, classifier, tiny, tmp_path):
    out = tmp_path / "nowhere" / "out.csv"
    assert "nowhere" in refused("predict", classifier, tiny / "reviews.csv", "-o", out)


def test_predictions_into_an_unknown_format(refused, classifier, tiny, tmp_path):
    message = refused("predict", classifier, tiny / "reviews.csv", "-o", tmp_path / "out.docx")
    assert "docx" in message and "csv" in message


def test_a_run_that_is_none(refused, tmp_path):
    assert "run" in refused("resume", tmp_path / "model.run")


def test_an_unknown_data_set(refused, tmp_path):
    message = refused("data", "imbd", "--to", tmp_path / "data")
    assert "'imbd'" in message and "imdb" in message


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "x.csv"],
        ["train", "x.csv", "--out", "m", "--labels", "many"],
        ["train", "x.csv", "--out", "m", "--direction", "sideways"],
        ["train", "x.csv", "--out", "m", "--time-budget", "-1"],
        ["pretrain", "x.txt", "--out", "m", "--rate", "0"],
        ["predict", "m"],
        ["fly"],
        ["train", "--wings"],
    ],
)
def test_a_wrong_call(refused, call, arguments):
    refused(*arguments)
    assert "--help" in call(*arguments).err


def test_nothing_at_all_shows_the_help(call):
    ended = call()
    assert ended.code == 2 and "Commands:" in ended.err


def test_an_error_is_the_last_line_of_a_programs_output(call, tiny, tmp_path):
    ended = call("evaluate", tmp_path / "nowhere", tiny / "reviews.csv", "--json")
    assert json.loads(ended.out)["error"] == ended.err.strip().removeprefix("ulmfit: ")


def test_a_mark_between_labels_that_is_none(train_on, tiny):
    """As an unset variable of a shell gives it."""
    assert "--separator ''" in train_on(tiny / "reviews.csv", "--separator", "")


def test_a_model_of_the_wrong_kind_is_named(refused, train_on, tiny, lm, classifier):
    needed = refused("predict", lm, tiny / "reviews.csv")
    assert needed == f"{lm} is a language-model; a classifier is needed here"
    needed = refused("perplexity", classifier, tiny / "text.txt")
    assert needed == f"{classifier} is a classifier; a language-model is needed here"


def test_a_model_that_is_not_there(refused, tiny):
    for name in ("nowhere", "en-mini"):
        assert f"{name}: there is no such folder" in refused("predict", name, tiny / "reviews.csv")
