"""The commands on every kind of target: what they take, make, print and refuse."""

import csv
import json

import pytest

import ulmfit
from ulmfit.cli.target_arguments import class_weights
from ulmfit.errors import InputError


@pytest.fixture(scope="module")
def tags(tiny):
    """Forty reviews with the tags of each as a list, a joined string, columns, a rank, a value."""
    rows = list(csv.DictReader((tiny / "reviews.csv").read_text().splitlines()))
    made = []
    for i, row in enumerate(rows):
        names = [row["label"]] + (["short"] if i % 3 == 0 else [])
        made.append(
            {
                "text": row["text"],
                "tags": names if i % 5 else [],
                "joined": ";".join(names),
                "pos": int(row["label"] == "pos"),
                "short": int(i % 3 == 0),
                "stars": 1 + i % 2 * 3 + i % 3 // 2,
                "price": 10.5 if row["label"] == "pos" else -3.25,
                "counts": 1 + i % 2,
            }
        )
    path = tiny / "tags.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    with open(tiny / "tags.csv", "w", newline="") as file:
        table = csv.DictWriter(file, list(made[0]), extrasaction="ignore")
        table.writeheader()
        table.writerows(made)
    return path


@pytest.fixture(scope="module")
def train(call, lm, tags, tmp_path_factory):
    """`ulmfit train` on the tags, quickly; the folder and what it printed as JSON."""

    def run(*arguments, data=tags):
        out = tmp_path_factory.mktemp("kinds") / "model"
        ended = call(
            *("train", data, "--lm", lm, "--out", out, "--no-finetune", "--epochs", 1),
            *("--direction", "forward", "--workers", 1, "--no-report", *arguments, "--json"),
        )
        assert ended.code == 0, ended.err
        return out, ended.json()

    return run


@pytest.fixture(scope="module")
def multi(train, tags):
    return train("--label", "tags", "--test", tags, "--coverage", 0.6)


def test_train_tells_what_it_learned(multi):
    _, told = multi
    assert told["task"] == "multi" and told["labels"] == ["neg", "pos", "short"]
    assert set(told["validation"]) == {"loss", "micro_f1"}
    assert told["calibration"]["temperature"] > 0 and 0 < told["abstain_below"] < 1
    assert len(told["test"]["per_label"]) == 3 and told["test"]["abstaining"]


def test_evaluate_tells_a_multi_label_model_by_label(call, multi, tags):
    out, _ = multi
    asked = ("evaluate", out, tags, "--label", "tags", "--coverage")
    ended = call(*asked)
    assert ended.code == 0, ended.err
    for part in ("micro F1", "all labels right", "confidence from", "precision", "answers "):
        assert part in ended.out
    assert max(map(len, ended.out.splitlines())) <= 110
    table = ended.out[ended.out.index("label ") :]
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["neg", "pos", "short"]
    figures = call(*asked, "--abstain-below", 0, "--json").json()
    assert figures["kind"] == "multi" and "abstaining" not in figures
    assert figures["coverage"][0]["coverage"] == 1.0


def test_predict_writes_sets_and_leaves_open_what_is_unsure(call, multi, tags, tmp_path):
    model, _ = multi
    out = tmp_path / "out.csv"
    assert call("predict", model, tags, "-o", out).code == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    names = [*rows[0]]
    assert names[-5:] == ["label", "abstained", "p_neg", "p_pos", "p_short"]
    assert {row["abstained"] for row in rows} <= {"True", "False"}
    assert call("predict", model, tags, "-o", out, "--abstain-below", 0).code == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert "abstained" not in rows[0]
    assert all(set(row["label"].split("|")) <= {"", "neg", "pos", "short"} for row in rows)


def test_columns_of_a_table_are_labels(train, tiny, tags):
    _, told = train("--label", "pos", "--label", "short", data=tiny / "tags.csv")
    assert (told["task"], told["labels"]) == ("multi", ["pos", "short"])


def test_joined_labels_are_parted(train, tiny, tags):
    asked = ("--label", "joined", "--task", "multi", "--no-calibrate")
    out, told = train(*asked, data=tiny / "tags.csv")
    assert told["labels"] == ["neg", "pos", "short"] and told["calibration"] is None
    assert ulmfit.load(out).target.temperature == 1
    _, told = train(*asked, "--separator", ";", data=tiny / "tags.csv")
    assert told["labels"] == ["neg", "pos", "short"]


def test_ranks_and_values(call, train, tags):
    for asked, line in [
        (("--label", "stars", "--task", "ordinal"), "ranks off on average, quadratic kappa"),
        (("--label", "price", "--task", "real"), "mean error"),
    ]:
        out, told = train(*asked, "--test", tags)
        assert told["task"] == asked[-1]
        ended = call("evaluate", out, tags, "--label", asked[1])
        assert ended.code == 0 and line in ended.out
        assert line in (out / "README.md").read_text()


def test_the_options_of_the_loss_are_kept(train):
    out, _ = train(
        *("--label", "joined", "--class-weights", "neg=2,pos=0.5", "--sample-weight", "counts"),
        *("--loss", "focal", "--focal-gamma", 1, "--label-smoothing", 0.1),
    )
    told = ulmfit.load(out).provenance["options"]
    assert told["class_weights"] == {"neg": 2.0, "pos": 0.5}
    assert (told["loss"], told["focal_gamma"], told["label_smoothing"]) == ("focal", 1.0, 0.1)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ("balanced", "balanced"),
        ("a=2", {"a": 2.0}),
        ("a=2,b=0.5,", {"a": 2.0, "b": 0.5}),
        ("x=y=3,a, b=1e-2", {"x=y": 3.0, "a, b": 0.01}),
        ('{"a": 2, "好": 0.5}', {"a": 2.0, "好": 0.5}),
    ],
)
def test_class_weights_have_several_forms(given, wanted):
    assert class_weights(given) == wanted


@pytest.mark.parametrize("given", ["even", "a", "a=", "a=x", "=2", "{", "[1]", '{"a":[]}'])
def test_what_is_no_class_weights(given):
    with pytest.raises(InputError, match="--class-weights"):
        class_weights(given)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--label", "tags", "--task", "single"), "--task multi"),
        (("--label", "joined", "--task", "real"), "'pos;short' is not a finite number"),
        (("--label", "joined", "--task", "ordinal"), "--order"),
        (("--label", "joined", "--class-weights", "ugly=2"), "'ugly'"),
        (("--label", "joined", "--class-weights", "balance"), "'balanced' is meant"),
        (("--label", "joined", "--sample-weight", "text"), "a weight is a number, 0 or more"),
        (("--label", "joined", "--label-smoothing", 1), "label smoothing"),
        (("--label", "joined", "--coverage", 0), "coverage 0"),
        (("--label", "joined", "--coverage", 0.5, "--abstain-below", 0.5), "give one"),
        (("--label", "price", "--task", "real", "--loss", "focal"), "no focal loss"),
        (("--label", "pos", "--label", "joined"), "of several label columns each says 0 or 1"),
        (("--label", "joined", "--task", "tags"), "Invalid value"),
        (("--label", "joined", "--loss", "hinge"), "Invalid value"),
        (("--label", "joined", "--abstain-below", 2), "Invalid value"),
    ],
)
def test_what_makes_no_sense_is_told(call, lm, tags, tmp_path, arguments, told):
    out = tmp_path / "m"
    ended = call("train", tags, "--lm", lm, "--out", out, *arguments, "--json")
    assert ended.code == 2 and told in ended.json()["error"]
    assert not list(tmp_path.iterdir())


def test_a_real_model_does_not_abstain_and_explains_no_label(call, train, tags, tmp_path):
    out, _ = train("--label", "price", "--task", "real")
    ended = call("explain", out, "the lovely film", "--label", "pos", "--json")
    assert ended.code == 2 and "'pos': this model answers with a value" in ended.json()["error"]
    for command in (("predict", out, tags, "-o", tmp_path / "o.csv"), ("evaluate", out, tags)):
        asked = ("--label", "price") if command[0] == "evaluate" else ()
        ended = call(*command, *asked, "--abstain-below", 0.5, "--json")
        assert ended.code == 2 and "no probabilities to abstain by" in ended.json()["error"]
    ended = call("evaluate", out, tags, "--label", "price", "--coverage", "--json")
    assert ended.code == 2 and "no probabilities to abstain by" in ended.json()["error"]
    assert not list(tmp_path.iterdir())
