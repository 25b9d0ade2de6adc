"""cross-validate, tune, find-rate and `train --settings`: results, tables, and wrong calls."""

import csv
import json
import shlex
from pathlib import Path

import pytest

from ulmfit.cli.like_train import NOT_SHARED
from ulmfit.cli.rate_finding import NOT_TRAINED
from ulmfit.cli.tuning import _command
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.tuning import Tuned, TuneOptions

SMALL = ("--no-finetune", "--direction", "forward", "--epochs", 1, "--workers", 1)


@pytest.fixture
def quick(tiny, lm):
    """Data, a language model, and options that make learning quick."""
    return (tiny / "reviews.csv", "--lm", lm, *SMALL)


def test_cross_validate(call, quick, tmp_path):
    work, answers = tmp_path / "work", tmp_path / "answers.csv"
    words = ("cross-validate", *quick, "--out", work, "--folds", 2, "--predictions", answers)
    ended = call(*words, "--json")
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["folder"] == str(work) and told["rows"] == 40 and len(told["each"]) == 2
    summary = told["summary"]["accuracy"]
    assert summary["low"] <= summary["mean"] <= summary["high"]
    assert len(list(csv.DictReader(answers.read_text().splitlines()))) == 40
    again = call(*words)  # nothing is learned again: the same figures, for a person
    assert again.code == 0, again.err
    assert f"{summary['mean']:.4f}" in again.out and "95% interval" in again.out
    assert "not fine-tuned" in again.out
    assert max(map(len, again.out.splitlines())) <= 100 + len(str(tmp_path))


def test_tune_and_train_with_what_it_found(call, quick, tmp_path):
    pytest.importorskip("optuna", reason="the extra [tune] is not installed")
    search = tmp_path / "search"
    ended = call("tune", *quick, "--out", search, "--trials", 2, "--metric", "log_loss", "--json")
    assert ended.code == 0, ended.err
    told = ended.json()
    assert [trial["number"] for trial in told["trials"]] == [0, 1]
    assert told["metric"] == "log_loss"
    best = min(told["trials"], key=lambda trial: trial["value"])
    assert told["best"] == best["number"]
    table = call("tune", *quick, "--out", search, "--trials", 2, "--metric", "log_loss").out
    assert "preset" in table and "*" in table and str(search / "best.json") in table
    line = next(line for line in table.splitlines() if line.startswith("use them"))
    words = shlex.split(line.removeprefix("use them"))[1:]
    words[words.index("MODEL")] = str(tmp_path / "model")
    made = call(*words, "--no-report", "--json")
    assert made.code == 0, made.err
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["provenance"]["options"]["settings"] == told["settings"]


@pytest.mark.parametrize("given", [(), ("--no-finetune",), ("--tune-lm",)], ids=str)
def test_the_command_that_is_told_leaves_what_was_found_to_the_settings(given):
    asked = TuneOptions(
        TrainOptions(
            Source(("my reviews.csv",)),
            "search",
            finetune="--no-finetune" not in given,
            epochs=2,
            lm_epochs=2,
            settings={"classifier": {"clip": 0.2}},
            time_budget=5.0,
            labels=100,
        ),
        tune_lm="--tune-lm" in given,
    )
    lm = None if given else "search/language-model"
    found = Tuned("accuracy", "8 of 40 rows", [], 0, {}, "search/best.json", lm)
    tuned = ["--lm", "search/language-model"] if lm else []
    kept = ["--labels", "100", *["--no-finetune"] * ("--tune-lm" not in given)]
    words = ["ulmfit", "train", "'my reviews.csv'", "--out", "MODEL", *tuned, *kept]
    assert _command(found, asked) == [*words, "--settings", "search/best.json"]


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("find-settings", (*NOT_SHARED, *NOT_TRAINED)),
        ("cross-validate", NOT_SHARED),
    ],
)
def test_the_pages_name_the_options_of_train_that_are_left_out(page, left):
    told = (Path(__file__).parents[2] / "docs" / "how-to" / f"{page}.md").read_text()
    missing = [name for name in left if f"`--{name.replace('_', '-')}`" not in told]
    assert not missing


@pytest.fixture
def refused(call, tmp_path):
    """Assert exit 2, a told error, no traceback, and no new file."""

    def run(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        ended = call(*arguments, "--json")
        assert ended.code == 2, ended
        assert sorted(tmp_path.rglob("*")) == before
        assert "Traceback" not in ended.err
        return str(ended.json()["error"])

    return run


def test_settings_that_are_wrong(refused, quick, put, tmp_path):
    train = ("train", *quick, "--out", tmp_path / "model", "--settings")
    assert "nothing.json" in refused(*train, tmp_path / "nothing.json")
    assert "not readable as JSON" in refused(*train, put("broken.json", "{"))
    assert "did you mean 'peak'" in refused(*train, '{"classifier": {"peek": 1}}')
    assert "expected 1 to" in refused(*train, put("low.json", '{"classifier": {"epochs": 0}}'))
    assert "--preset v2" in refused(*train, put("v2.json", '{"preset": "v2"}'))


def test_cross_validations_that_are_wrong(refused, quick, put, tiny, tmp_path):
    out = ("--out", tmp_path / "work")
    assert "choose 2 to 40" in refused("cross-validate", *quick, *out, "--folds", 50)
    assert "--folds" in refused("cross-validate", *quick, *out, "--folds", 1)
    assert "docx" in refused("cross-validate", *quick, *out, "--predictions", tmp_path / "x.docx")
    own = put("own.csv", (tiny / "reviews.csv").read_text())
    assert "is the input" in refused("cross-validate", own, *quick[1:], *out, "--predictions", own)
    rare = put("rare.csv", "text,label\n" + "a film,x\n" * 9 + "a plot,y\n" * 2)
    assert "'y'" in refused("cross-validate", rare, *quick[1:], *out)
    test = ("--test", tiny / "reviews.csv")
    assert "such option" in refused("cross-validate", *quick, *out, *test).lower()


def test_searches_that_are_wrong(refused, quick, tiny, tmp_path):
    pytest.importorskip("optuna", reason="the extra [tune] is not installed")
    out = ("--out", tmp_path / "work")
    assert "beauty" in refused("tune", *quick, *out, "--metric", "beauty")
    assert "--no-finetune" in refused("tune", *quick, *out, "--tune-lm")
    assert "--trials" in refused("tune", *quick, *out, "--trials", 0)
    assert "--out" in refused("tune", *quick)
    assert "such option" in refused("tune", *quick, *out, "--test", tiny / "reviews.csv").lower()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--lowest", 0), "rates from 0 to 1"),
        (("--lowest", "nan"), "rates from nan to 1"),
        (("--highest", "inf"), "to inf"),
        (("--phase", "first"), "'last 1'"),
        (("--stage", "language-model", "--phase", "first"), "only 'all'"),
        (("--steps", 9), "--steps"),
        (("--plot", "nowhere/rates.png"), "there is no folder"),
        (("--settings", "[1]"), "not readable as JSON"),
    ],
    ids=str,
)
def test_sweeps_that_are_wrong_are_refused_before_a_text_is_read(refused, tiny, lm, wrong, told):
    assert told in refused("find-rate", tiny / "reviews.csv", "--lm", lm, *wrong)


@pytest.mark.parametrize("command", ["train", "cross-validate", "tune"])
def test_minutes_that_are_none(refused, quick, tmp_path, command):
    if command == "tune":
        pytest.importorskip("optuna", reason="the extra [tune] is not installed")
    words = (command, *quick, "--out", tmp_path / "work", "--time-budget")
    assert "--time-budget" in refused(*words, 0)
    assert "--time-budget" in refused(*words, "nan")
    assert "expected a finite number above 0" in refused(*words, "inf")


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_minutes_of_a_language_model_that_are_none(refused, tiny, lm, tmp_path, command):
    given = (lm,) if command == "finetune" else ()
    words = (command, *given, tiny / "text.txt", "--out", tmp_path / "m", "--time-budget", "inf")
    assert "expected a finite number above 0" in refused(*words)


def test_a_place_to_track_that_is_none(refused, quick, tmp_path):
    words = ("train", *quick, "--out", tmp_path / "model", "--track")
    assert "expected one of tensorboard, mlflow" in refused(*words, "wandb")
    assert "tensorboard=FOLDER" in refused(*words, "tensorboard=")


@pytest.mark.parametrize("command", ["cross-validate", "tune"])
def test_a_folder_of_something_else_is_left_alone(refused, quick, put, tmp_path, command):
    if command == "tune":
        pytest.importorskip("optuna", reason="the extra [tune] is not installed")
    (tmp_path / "mine").mkdir()
    put("mine/notes.txt", "keep me")
    told = refused(command, *quick, "--out", tmp_path / "mine", "--overwrite")
    assert "not made by this command" in told


def test_an_interrupt_says_that_the_same_command_goes_on(call, quick, tmp_path, monkeypatch):
    from ulmfit import cross_validation

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cross_validation, "learned", interrupted)
    ended = call("cross-validate", *quick, "--out", tmp_path / "work", "--json")
    assert ended.code == 1
    assert ended.json()["error"] == "interrupted; to go on: the same command again"
    assert Path(tmp_path / "work").is_dir()
