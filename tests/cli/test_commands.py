"""Each command on real, tiny input: what it makes, and its one JSON object."""

import csv
import json
import math
from pathlib import Path

import pytest

import ulmfit
from ulmfit.data.catalogue import Dataset, Download


def test_pretrain_makes_a_language_model(call, tiny, tmp_path, small_lm):
    out = tmp_path / "lm"
    ended = call("pretrain", tiny / "text.txt", "--out", out, *small_lm, "--json")
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["model"] == str(out)
    assert told["validation"]["forward"]["loss"] > 0
    assert ulmfit.load(out).kind == "language-model"
    assert not Path(f"{out}.run").exists()


def test_the_plan_comes_before_training_on_stderr(call, tiny, tmp_path, small_lm):
    ended = call("pretrain", tiny / "text.txt", "--out", tmp_path / "lm", *small_lm, "--json")
    plan, first = ended.err.index("plan: "), ended.err.index("epoch 1: train loss")
    assert plan < first
    assert len(ended.out.splitlines()) == 1  # the rest is on stderr
    for part in ("layer group", "peak rate", "learns in epochs", "steps", "tokens", "about"):
        assert part in ended.err[plan:first]


def test_finetune_keeps_the_directions_of_its_language_model(call, tiny, lm, tmp_path):
    out = tmp_path / "lm2"
    ended = call(
        "finetune", lm, tiny / "reviews.csv", "-o", out, "--epochs", 1, "--workers", 1, "--json"
    )
    assert ended.code == 0, ended.err
    assert list(ended.json()["validation"]) == ["forward", "backward"]
    assert "lovely" in ulmfit.load(out).encoder.vocab.tokens


def test_train_goes_the_whole_road(call, tiny, lm, tmp_path):
    out = tmp_path / "model"
    ended = call(
        *("train", tiny / "reviews.csv", "--lm", lm, "--out", out, "--test", tiny / "reviews.csv"),
        *("--unlabelled", tiny / "text.txt", "--labels", 20, "--lm-epochs", 1, "--epochs", 1),
        *("--direction", "forward", "--workers", 1, "--json"),
    )
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["model"] == str(out)
    assert told["train_rows"] + told["valid_rows"] == 20
    assert 0 <= told["validation"]["accuracy"] <= 1
    assert told["test"]["n"] == 40
    assert ended.err.count("plan: ") == 2  # the language model's and the classifier's


def test_train_says_null_where_nothing_was_tested(call, tiny, lm, tmp_path):
    ended = call(
        *("train", tiny / "reviews.csv", "--lm", lm, "--out", tmp_path / "m", "--no-finetune"),
        *("--direction", "backward", "--epochs", 1, "--workers", 1, "--json"),
    )
    assert ended.code == 0, ended.err
    assert ended.json()["test"] is None
    assert ended.json()["directions"] == ["backward"]


def test_predict_keeps_columns_and_order(call, tiny, classifier, tmp_path):
    out = tmp_path / "out.csv"
    ended = call("predict", classifier, tiny / "reviews.csv", "-o", out, "--json")
    assert ended.code == 0, ended.err
    assert ended.json() == {"out": str(out), "rows": 40, "skipped": []}
    given = list(csv.DictReader((tiny / "reviews.csv").read_text().splitlines()))
    made = list(csv.DictReader(out.read_text().splitlines()))
    assert [{k: row[k] for k in given[0]} for row in made] == given
    for row in made:
        assert math.isclose(float(row["p_neg"]) + float(row["p_pos"]), 1, abs_tol=1e-6)


def test_evaluate_prints_what_it_promises(call, tiny, classifier):
    told = call("evaluate", classifier, tiny / "reviews.csv", "--json").json()
    promised = {"accuracy", "accuracy_ci", "macro_f1", "log_loss", "n", "confusion", "labels"}
    assert promised <= told.keys()
    low, high = told["accuracy_ci"]
    assert low <= told["accuracy"] <= high
    assert sum(map(sum, told["confusion"])) == told["n"] == 40


def test_evaluate_for_a_person(call, tiny, classifier):
    out = call("evaluate", classifier, tiny / "reviews.csv").out
    assert "accuracy" in out and "95%" in out and "true \\ predicted" in out
    assert max(map(len, out.splitlines())) <= 80


def test_perplexity_prints_what_it_promises(call, tiny, lm):
    told = call("perplexity", lm, tiny / "text.txt", "--workers", 1, "--json").json()
    promised = {"nats_per_token", "tokens", "words", "bytes", "word_perplexity"}
    assert promised | {"bits_per_byte", "oov_rate"} <= told.keys()
    nats = told["nats_per_token"] * told["tokens"]
    assert told["word_perplexity"] == pytest.approx(math.exp(nats / told["words"]))
    assert told["bits_per_byte"] == pytest.approx(nats / math.log(2) / told["bytes"])


def test_generate_goes_on_with_the_text_and_repeats_itself_by_seed(call, lm):
    first, again, other = (
        call("generate", lm, "the film", "--tokens", 12, "--seed", seed, "--json").json()["text"]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first.startswith("the film")


def test_models_lists_the_embedded_ones(call):
    every = call("models", "--json").json()["models"]
    assert all("name" in model for model in every)
    assert call("models").code == 0


def test_data_lists_the_sets(call):
    names = [d["name"] for d in call("data", "--json").json()["data"]]
    assert {"imdb", "trec", "ag", "dbpedia", "yelp-bi", "yelp-full", "wikitext-2"} <= set(names)
    assert "imdb" in call("data").out


def test_data_takes_a_local_copy(call, put, tmp_path, monkeypatch):
    local = put("tiny.csv", "text,label\nfine,pos\n")
    dataset = Dataset(
        "tiny", "a tiny set", "this test", (Download("tiny.csv", ()),), {"train": "tiny.csv"}
    )
    monkeypatch.setattr("ulmfit.data.catalogue.find_dataset", lambda name: dataset)
    ended = call("data", "tiny", "--from", local, "--to", tmp_path / "sets", "--json")
    assert ended.code == 0, ended.err
    made = tmp_path / "sets" / "tiny" / "tiny.csv"
    assert ended.json()["parts"] == {"train": str(made)}
    assert made.read_bytes() == local.read_bytes()


def test_overwrite_replaces_a_model(call, tiny, lm, tmp_path):
    arguments = ("train", tiny / "reviews.csv", "--lm", lm, "--out", tmp_path / "m")
    arguments += ("--no-finetune", "--direction", "forward", "--epochs", 1, "--workers", 1)
    assert call(*arguments).code == 0
    refused = call(*arguments)
    assert refused.code == 2 and "--overwrite" in refused.err
    assert call(*arguments, "--overwrite").code == 0


def test_demo_shows_both_accuracies_and_two_sentences(call, lm, tmp_path, monkeypatch):
    from ulmfit.demo import Messages, load_messages

    train, test = (Messages(m.texts[::8], m.labels[::8]) for m in load_messages())
    monkeypatch.setattr("ulmfit.pipeline.demonstration.load_messages", lambda: (train, test))
    monkeypatch.setattr("ulmfit.pretrained.BETTER", str(lm))
    ended = call("demo", "--out", tmp_path / "demo", "--workers", 1)
    assert ended.code == 0, ended.err
    assert "TF-IDF + logistic regression" in ended.out and "95%" in ended.out
    assert ended.out.count('"') == 4  # two sentences
    assert ulmfit.load(tmp_path / "demo" / "model").kind == "classifier"


def test_the_demo_replaces_no_rows_of_the_user(call, tmp_path):
    (tmp_path / "test.csv").write_text("text,label\nmine,a\n")
    ended = call("demo", "--out", tmp_path, "--overwrite")
    assert ended.code == 2 and "test.csv: exists and holds other rows" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["test.csv"]
    assert (tmp_path / "test.csv").read_text() == "text,label\nmine,a\n"


@pytest.mark.slow
def test_the_real_demo_beats_tfidf_in_time(call):
    import time

    if not call("models", "--json").json()["models"]:
        pytest.skip("no language model is embedded yet")
    began = time.monotonic()
    told = call("demo", "--json").json()
    assert time.monotonic() - began < 360
    assert told["accuracy"] > told["tfidf_accuracy"]


def test_a_label_of_any_script_is_printed(call, put, lm, tmp_path):
    rows = "".join(f"the film was {w},{k}\n" for w, k in [("great", "好"), ("awful", "不好")] * 8)
    data = put("data.csv", "text,label\n" + rows)
    ended = call(
        *("train", data, "--lm", lm, "--out", tmp_path / "m", "--no-finetune"),
        *("--direction", "forward", "--epochs", 1, "--workers", 1, "--json"),
    )
    assert ended.json()["labels"] == ["不好", "好"]
    assert json.loads((tmp_path / "m" / "config.json").read_text())["id2label"]["1"] == "好"
