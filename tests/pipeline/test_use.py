"""A finished model at work: columns, order, counts, both directions."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ulmfit.bundle import Bundle
from ulmfit.cli.output import evaluation_lines
from ulmfit.errors import InputError
from ulmfit.model.lstm_choice import bf16_is_right
from ulmfit.pipeline import train
from ulmfit.pipeline.options import Machine, Source, TrainOptions
from ulmfit.pipeline.use import evaluate, generate, perplexity, predict_file
from ulmfit.predict import Predictor
from ulmfit.pretrained import open_pretrained

from .conftest import MACHINE, finish


@pytest.fixture(scope="module")
def classifier(lm: Path, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "d.jsonl").write_text(
        "".join(json.dumps({"text": t, "label": "ab"[i % 2]}) + "\n" for i, t in enumerate(texts))
    )
    source = Source((str(folder / "d.jsonl"),))
    options = TrainOptions(source, str(folder / "m"), MACHINE, str(lm), finetune=False, epochs=1)
    return finish(train(options))[1]


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_no_column_is_taken_for_a_label_in_prediction(classifier: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("class,text,topic,label\n1,a good film,x,old\n2,a plot,y,\n")
    seen: list[tuple[int, int | None]] = []
    done = predict_file(
        classifier,
        Source((str(tmp_path / "in.csv"),)),
        tmp_path / "out.csv",
        MACHINE,
        lambda number, total: seen.append((number, total)),
    )
    assert done == 2 and seen == [(2, 2)]
    made = rows(tmp_path / "out.csv")
    assert list(made[0]) == ["class", "text", "topic", "label", "label_predicted", "p_a", "p_b"]
    assert [row["label"] for row in made] == ["old", ""]


def test_a_bad_row_is_found_before_the_first_prediction(classifier: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\n" + "a film\n" * 5000 + "a,b\n")
    source, seen = Source((str(tmp_path / "in.csv"),)), []
    with pytest.raises(InputError, match=r"in\.csv, line 5002: 2 columns"):
        predict_file(classifier, source, tmp_path / "o.csv", MACHINE, lambda *a: seen.append(a))
    assert not seen and not (tmp_path / "o.csv").exists()
    skipped: list[str] = []
    source = replace(source, skip_bad_rows=True)
    assert predict_file(
        classifier, source, tmp_path / "o.csv", MACHINE, on_bad=skipped.append
    ) == len(rows(tmp_path / "o.csv"))
    assert len(skipped) == 1


def test_the_types_of_parquet_are_those_of_all_rows(classifier: Bundle, tmp_path: Path) -> None:
    """Not of the first thousand, to which the others would be cut."""
    scores = [1] * 1500 + [0.5]
    given = tmp_path / "in.jsonl"
    given.write_text("".join(json.dumps({"text": "a", "score": s}) + "\n" for s in scores))
    out = tmp_path / "out.parquet"
    assert predict_file(classifier, Source((str(given),)), out, MACHINE) == len(scores)
    assert pq.read_table(out)["score"].to_pylist() == scores


def test_a_row_without_a_text_keeps_its_place(classifier: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text":"a"}\n{"text":null}\n{"text":" "}\n{"text":"b"}\n')
    out = tmp_path / "out.csv"
    assert predict_file(classifier, Source((str(tmp_path / "in.jsonl"),)), out, MACHINE) == 4
    made = rows(out)
    assert [row["text"] for row in made] == ["a", "", " ", "b"]
    nothing = next(Predictor(classifier, "cpu", "fp32").probabilities([""]))
    for row in made[1:3]:
        told = dict(zip(classifier.labels, (float(row["p_a"]), float(row["p_b"])), strict=True))
        assert told == pytest.approx(dict(zip(classifier.labels, nothing, strict=True)), abs=1e-5)


def test_an_existing_output_is_replaced_but_never_the_input(
    classifier: Bundle, tmp_path: Path
) -> None:
    given, out = tmp_path / "in.csv", tmp_path / "out.csv"
    given.write_text("text\na film\n")
    out.write_text("old")
    predict_file(classifier, Source((str(given),)), out, MACHINE)
    assert rows(out)[0]["text"] == "a film"
    with pytest.raises(InputError, match="is the input"):
        predict_file(classifier, Source((str(given),)), given, MACHINE)
    assert given.read_text() == "text\na film\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_columns_that_only_later_rows_have_are_kept(
    classifier: Bundle, tmp_path: Path, suffix: str
) -> None:
    given, out = tmp_path / "in.jsonl", tmp_path / f"out.{suffix}"
    given.write_text('{"text": "a film"}\n{"text": "a plot", "label": "mine", "p_a": "my own"}\n')
    assert predict_file(classifier, Source((str(given),)), out, MACHINE) == 2
    first, second = (row.fields for row in Source((str(out),), label="").rows())
    assert (second["label"], second["p_a"]) == ("mine", "my own")
    for fields in (first, second):
        assert fields["label_predicted"] in ("a", "b")
        assert 0 < float(str(fields["p_a_predicted"])) < 1
        assert fields.get("label") != fields["label_predicted"]


def test_answers_of_an_earlier_call_are_no_input(classifier: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "in.csv").write_text("text\na film\n")
    source, out = Source((str(folder),)), folder / "out.csv"
    with pytest.raises(InputError, match=r"out\.csv: is in the folder .*texts"):
        predict_file(classifier, source, out, MACHINE)
    assert [path.name for path in folder.iterdir()] == ["in.csv"]
    assert predict_file(classifier, source, tmp_path / "out.csv", MACHINE) == 1


def test_bf16_answers_are_close_to_those_of_fp32(classifier: Bundle, data: Path) -> None:
    source = Source((str(data),), label="")
    answers = []
    for precision in ("fp32", "bf16"):
        out = data.with_name(f"{precision}.csv")
        predict_file(classifier, source, out, Machine("cpu", precision))  # type: ignore[arg-type]
        answers.append([float(row["p_a"]) for row in rows(out)])
    assert np.allclose(*answers, atol=0.02)
    if bf16_is_right(16, 16):  # else fp32 is taken
        assert answers[0] != answers[1]


def test_evaluate_wants_labels(classifier: Bundle, tmp_path: Path) -> None:
    bare, empty = tmp_path / "bare.csv", tmp_path / "empty.csv"
    bare.write_text("text\na film\n")
    empty.write_text("text,label\na film,\n")
    with pytest.raises(InputError, match=r"bare\.csv: no column is named 'label'"):
        evaluate(classifier, Source((str(bare),)), MACHINE)
    with pytest.raises(InputError, match=r"empty\.csv: no row has a label"):
        evaluate(classifier, Source((str(empty),)), MACHINE)


def test_evaluate_tells_each_direction_alone(
    classifier: Bundle, texts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "d.jsonl"
    rows = [{"text": t, "label": "ab"[i % 3 > 0]} for i, t in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = evaluate(classifier, Source((str(path),)), MACHINE)
    for direction in ("forward", "backward"):
        one = replace(classifier, weights={direction: classifier.weights[direction]})
        wanted = evaluate(one, Source((str(path),)), MACHINE)
        assert "each_direction" not in wanted
        alone = told["each_direction"][direction]
        assert {"accuracy", "log_loss", "macro_f1"} <= alone.keys() <= wanted.keys()
        assert alone == pytest.approx({name: wanted[name] for name in alone}, rel=1e-6)
    each = told["each_direction"].values()
    assert len({alone["log_loss"] for alone in each} | {told["log_loss"]}) == 3
    lines = evaluation_lines(told)
    assert lines[1].startswith("forward alone accuracy ") and ", backward alone " in lines[1]
    assert max(map(len, lines)) <= 80


def test_a_tokens_file_counts_its_own_words(lm: Path, tmp_path: Path) -> None:
    wiki = " \n = A film = \n \n the film was good , and 3 @.@ 5 actors . \n"
    other = tmp_path / "wiki.txt"
    other.write_text(wiki)
    (tmp_path / "wiki.tokens").write_text(wiki)
    own = sum(len(line.split()) + 1 for line in wiki.splitlines())
    bundle = open_pretrained(str(lm))
    for source in (
        Source((str(tmp_path / "wiki.tokens"),)),
        Source((str(other),), format="tokens"),
    ):
        figures = perplexity(bundle, source, MACHINE)
        nats = figures["nats_per_token"] * figures["tokens"]
        assert figures["words"] == own
        assert figures["word_perplexity"] == pytest.approx(np.exp(nats / own))
        assert figures["bits_per_byte"] == pytest.approx(nats / np.log(2) / figures["bytes"])
    plain = perplexity(bundle, Source((str(other),), format="text"), MACHINE)
    assert plain["words"] != own


def test_tokens_beside_other_files_are_counted_like_them(lm: Path, tmp_path: Path) -> None:
    (tmp_path / "wiki.tokens").write_text(" \n = A film = \n \n it was good . \n")
    (tmp_path / "beside.csv").write_text("text\na good film\n")
    both = Source((str(tmp_path / "wiki.tokens"), str(tmp_path / "beside.csv")))
    same = tmp_path / "same.jsonl"
    same.write_text("".join(json.dumps({"text": row.text}) + "\n" for row in both.rows()))
    bundle = open_pretrained(str(lm))
    mixed, plain = (
        perplexity(bundle, both, MACHINE),
        perplexity(bundle, Source((str(same),)), MACHINE),
    )
    assert mixed == plain


def test_a_column_called_tokens_is_no_wikitext(lm: Path, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"text": "a good film", "tokens": 999}\n')
    assert perplexity(open_pretrained(str(lm)), Source((str(tmp_path / "d.jsonl"),)), MACHINE)[
        "words"
    ] in (3, 4)


def test_a_doubtful_label_column_is_nothing_to_a_language_model(lm: Path, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("text,class,topic\nthe film was good,x,y\n")
    figures = perplexity(open_pretrained(str(lm)), Source((str(tmp_path / "d.csv"),)), MACHINE)
    assert figures["tokens"] > 0


def test_a_backward_model_writes_what_comes_before(lm: Path) -> None:
    bundle = open_pretrained(str(lm))
    forward = generate(bundle, "the good film", tokens=8, direction="forward")
    backward = generate(bundle, "the good film", tokens=8, direction="backward")
    assert forward.startswith("the good film") and not forward.endswith("the good film")
    assert backward.endswith("the good film") and not backward.startswith("the good film")
    for temperature in (0.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="temperature"):
            generate(bundle, "the", temperature=temperature)
