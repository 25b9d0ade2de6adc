"""A teacher's answers on texts without a label are learned from, too."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.budget import Budget
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.manifest import fingerprint
from ulmfit.pipeline import Note, Texts, resume, train
from ulmfit.pipeline.classifiers import chosen_preset
from ulmfit.pipeline.drawing import Draw, draw_labels
from ulmfit.pipeline.held_out import bench
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.pseudo_labels import (
    PIECE,
    Teacher,
    aligned,
    pieces,
    pseudo_labelled,
    teacher_of,
)
from ulmfit.pipeline.shares import language_models_part
from ulmfit.predict import Predictor
from ulmfit.presets import preset
from ulmfit.report import write_report
from ulmfit.stages.classifier_loop import Labelled, split_rows
from ulmfit.stages.objective import Objective
from ulmfit.training.loop import Step

from .conftest import MACHINE, finish


@pytest.fixture
def options(data: Path, lm: Path, tmp_path: Path) -> TrainOptions:
    source = Source((str(data),))
    return TrainOptions(source, str(tmp_path / "model"), MACHINE, str(lm), finetune=False, epochs=1)


@pytest.fixture
def teacher(options: TrainOptions, tmp_path: Path) -> Path:
    out = tmp_path / "teacher"
    finish(train(replace(options, out=str(out), direction="forward")))
    return out


@pytest.fixture
def taught(options: TrainOptions, teacher: Path) -> TrainOptions:
    return replace(options, teacher=str(teacher))


def drawn(options: TrainOptions) -> Draw:
    return draw_labels(options.data, None, 0, kind=options.task, order=options.order)


def answers(options: TrainOptions, folder: Path, bundle: Bundle | None = None) -> Labelled:
    draw = drawn(options)
    teacher = teacher_of(options, draw, [])
    assert teacher is not None
    teacher = replace(teacher, bundle=bundle or teacher.bundle)
    return finish(pseudo_labelled(teacher, options, draw, teacher.bundle.encoder, folder))[1]


def test_aligned_answers_have_the_shares_that_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet([9, 2, 2], 400)
    shares = np.array([0.2, 0.3, 0.5])
    found = aligned(rows, shares)
    assert found.sum(1) == pytest.approx(1) and found.mean(0) == pytest.approx(shares, rel=1e-5)
    factors = found / rows
    factors /= factors[:, :1]
    assert factors == pytest.approx(np.tile(factors[0], (400, 1)))  # one number for each class
    assert aligned(rows, rows.mean(0)) == pytest.approx(rows)
    never = np.tile([1.0, 0.0], (5, 1))
    assert aligned(never, np.array([0.4, 0.6])) == pytest.approx(np.tile([0.4, 0.6], (5, 1)))


def test_a_teachers_answers_get_the_shares_of_the_labelled_rows(
    taught: TrainOptions, tmp_path: Path
) -> None:
    draw = drawn(taught)
    teacher = teacher_of(taught, draw, [])
    assert teacher is not None
    weights = dict(teacher.bundle.weights["forward"])
    weights["head.linear2.bias"] = weights["head.linear2.bias"] + torch.tensor([9.0, -9.0])
    model = replace(teacher.bundle, weights={"forward": weights})
    alike = answers(taught, tmp_path / "alike", model).labels
    even = answers(replace(taught, align=True), tmp_path / "even", model).labels
    assert set(alike.tolist()) == {0} and set(even.tolist()) == {0, 1}


def test_of_a_long_text_a_piece_from_anywhere_is_learned_from() -> None:
    documents = [np.arange(length) for length in (1, 2, 5, 6)] + [np.arange(12)] * 200
    found = pieces(documents, 0, most=4)
    assert [piece.tolist() for piece in found[:3]] == [[0], [0, 1], [0, 1, 2, 3, 4]]
    starts = [piece[1] for piece in found[3:]]
    assert [piece.tolist() for piece in found[3:]] == [[0, *range(s, s + 4)] for s in starts]
    assert starts[0] in (1, 2) and set(starts[1:]) == set(range(1, 9))  # the end included
    again, other = (pieces(documents, seed, most=4) for seed in (0, 1))
    assert [piece[1] for piece in again[3:]] == starts != [piece[1] for piece in other[3:]]


def test_the_teachers_answers_are_learned_from_and_never_held_out(taught: TrainOptions) -> None:
    events, bundle = finish(train(taught))
    notes = [event.text for event in events if isinstance(event, Note)]
    (told,) = (note for note in notes if "pseudo-labelled" in note)
    count = bundle.metrics["pseudo_labelled"]
    assert told.startswith(f"{count} pseudo-labelled texts: bad ") and count == 10
    assert bundle.metrics["train_rows"] + bundle.metrics["valid_rows"] == 30
    told = bundle.provenance["teacher"]
    assert told["config_sha256"] == fingerprint(Path(str(taught.teacher)) / "config.json").sha256
    assert str(taught.teacher) not in json.dumps(bundle.provenance)  # no path of this machine
    assert "pseudo" not in str(
        finish(train(replace(taught, teacher=None), overwrite=True))[1].metrics
    )


def test_labels_are_those_that_the_teacher_gives(
    taught: TrainOptions, teacher: Path, texts: list[str], tmp_path: Path
) -> None:
    model = bundles.load(teacher)
    found = answers(taught, tmp_path / "pseudo")
    rows = np.stack(list(Predictor(model, "cpu").probabilities(texts[30:])))
    given = {
        tuple(model.encoder.encode(text)): row for text, row in zip(texts[30:], rows, strict=True)
    }
    assert found.labels.tolist() == [given[tuple(d)].argmax() for d in found.documents]
    assert len(found.labels) == len(given) == 10


def test_the_teacher_reads_all_of_a_text_of_which_a_piece_is_learned_from(
    taught: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    long = " ".join(texts)
    more = tmp_path / "more.txt"
    more.write_text(long)
    one = replace(
        taught, data=Source((_labelled(texts, tmp_path),)), unlabelled=(str(more),), pseudo_labels=9
    )
    teacher = teacher_of(one, drawn(one), [Source((str(more),))])
    assert teacher is not None
    encoder, seen = teacher.bundle.encoder, list(teacher.texts())
    assert seen == [long]
    found = finish(pseudo_labelled(teacher, one, drawn(one), encoder, tmp_path / "pseudo"))[1]
    (piece,) = found.documents
    whole, part = list(encoder.encode(long)), piece.tolist()
    assert len(whole) > 1 + PIECE == len(part) and part[0] == whole[0]
    assert any(whole[i : i + PIECE] == part[1:] for i in range(1, len(whole)))
    (row,) = Predictor(teacher.bundle, "cpu").probabilities(seen)
    assert found.labels.tolist() == [row.argmax()]


def test_a_teacher_may_number_its_labels_in_another_way(
    taught: TrainOptions, teacher: Path, tmp_path: Path
) -> None:
    model = bundles.load(teacher)
    turned = replace(model, labels=model.labels[::-1])
    here, there = (answers(taught, tmp_path / str(i), m) for i, m in enumerate((model, turned)))
    assert here.labels.tolist() == (1 - there.labels).tolist()


def test_so_many_answers_at_most(taught: TrainOptions, tmp_path: Path) -> None:
    two = replace(taught, pseudo_labels=2)
    few, again = answers(two, tmp_path / "few"), answers(two, tmp_path / "again")
    assert len(few.labels) == 2
    assert [d.tolist() for d in few.documents] == [d.tolist() for d in again.documents]
    assert len(answers(replace(taught, pseudo_labels=1), tmp_path / "one").labels) == 1


def test_each_round_answers_other_texts_as_long_as_there_are_some(
    taught: TrainOptions, teacher: Path, texts: list[str], tmp_path: Path
) -> None:
    model, told = bundles.load(teacher), []
    for number in range(4):
        found = answers(replace(taught, pseudo_labels=4), tmp_path / str(number), model)
        told.append({tuple(d) for d in found.documents})
        model = replace(model, provenance={"teacher": model.provenance})
    every = {tuple(model.encoder.encode(text)) for text in texts[30:]}
    first, second, third, fourth = told
    assert len(every) == 10 and {len(t) for t in told} == {4}
    assert not first & second and third > every - first - second  # 4 and 4 of 10, the 2 left
    assert fourth != third and len(first & third) == 2


def test_of_the_same_text_each_round_learns_from_another_piece(
    taught: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text(" ".join(texts * 5))
    only = Source((_labelled(texts, tmp_path),))
    options = replace(taught, data=only, unlabelled=(str(more),))
    teacher = teacher_of(options, drawn(options), [Source((str(more),))])
    assert teacher is not None
    encoder, told = teacher.bundle.encoder, []
    for number in range(2):
        call = pseudo_labelled(teacher, options, drawn(options), encoder, tmp_path / str(number))
        told.append([d.tolist() for d in finish(call)[1].documents])
        later = replace(teacher.bundle, provenance={"teacher": teacher.bundle.provenance})
        teacher = replace(teacher, bundle=later)
    assert len(told[0]) == len(told[1]) == 1 and told[0] != told[1]


def test_a_row_of_weight_0_gets_no_label_by_the_back_door(
    taught: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "weighed.csv"
    rows = [f"{text},{['bad', 'good'][i % 2]},{int(i < 30)}" for i, text in enumerate(texts)]
    path.write_text("\n".join(["text,label,weight", *rows, "one more film,,"]) + "\n")
    weighed = replace(taught, data=Source((str(path),), sample_weight="weight"))
    teacher = teacher_of(weighed, drawn(weighed), [])
    assert teacher is not None and list(teacher.texts()) == ["one more film"]


def test_bad_rows_beside_the_data_are_told(taught: TrainOptions, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"text": "one more film"}\n{"text": \n')
    source = replace(taught.data, skip_bad_rows=True)
    events, _ = finish(train(replace(taught, data=source, unlabelled=(str(more),))))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("skipped" in note and "more.jsonl, line 2" in note for note in notes)


def test_more_texts_are_answered_and_those_with_a_label_are_not(
    taught: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("\n\n".join([*texts[:30], "one more film", "one more film"]))
    one = replace(taught, data=Source((_labelled(texts, tmp_path),)), unlabelled=(str(more),))
    _, bundle = finish(train(one))
    assert bundle.metrics["pseudo_labelled"] == 1


@pytest.mark.parametrize("when", ["computing in", "pseudo-labelled"])
def test_answers_are_never_given_to_other_texts(
    when: str, taught: TrainOptions, tmp_path: Path
) -> None:
    """A file comes into the folder before the teacher answers, or after."""
    archive = tmp_path / "archive"
    archive.mkdir()
    for name in "bcd":
        (archive / f"{name}.txt").write_text(f"one more film of the kind {name}")
    events = train(replace(taught, unlabelled=(str(archive),)))
    next(event for event in events if isinstance(event, Note) and when in event.text)
    (archive / "a.txt").write_text("the first of all")
    with pytest.raises(InputError, match=r"archive: changed while it was being learned from"):
        finish(events)
    assert not Path(taught.out).exists()


def _labelled(texts: list[str], folder: Path) -> str:
    path = folder / "labelled.csv"
    rows = (f"{text},{['bad', 'good'][i % 2]}\n" for i, text in enumerate(texts[:30]))
    path.write_text("text,label\n" + "".join(rows))
    return str(path)


@pytest.mark.parametrize("at", [Texts, Step])
def test_a_run_that_was_stopped_ends_in_the_same_bytes(
    at: type, taught: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a relative path too, which a resumed run knows as an absolute one."""
    monkeypatch.chdir(tmp_path)
    taught = replace(taught, teacher="teacher")
    finish(train(replace(taught, out="whole")))
    events = train(taught)
    for event in events:
        if isinstance(event, at):
            break
    events.close()
    finish(resume(Path(f"{taught.out}.run")))
    for name in ("model.safetensors", "metrics.json", "config.json", "README.md", "tokenizer.json"):
        assert Path("whole", name).read_bytes() == (Path(taught.out) / name).read_bytes()


def test_another_teacher_is_noticed_on_resuming(taught: TrainOptions, teacher: Path) -> None:
    events = train(taught)
    next(event for event in events if isinstance(event, Step))
    events.close()
    config = teacher / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(InputError, match="not what it was"):
        finish(resume(Path(f"{taught.out}.run")))


def test_two_epochs_unless_others_are_asked_for(taught: TrainOptions) -> None:
    usual = replace(taught, epochs=None)
    assert chosen_preset(usual).classifier.epochs == 2
    assert chosen_preset(replace(usual, epochs=7)).classifier.epochs == 7
    own = replace(usual, settings={"classifier": {"epochs": 5}})
    assert chosen_preset(own).classifier.epochs == 5
    assert chosen_preset(replace(usual, teacher=None)).classifier.epochs == 16


def test_what_makes_no_sense_is_refused_at_the_door(
    taught: TrainOptions, options: TrainOptions, lm: Path, texts: list[str], tmp_path: Path
) -> None:
    others = tmp_path / "others.csv"
    others.write_text("text,label\n" + "a film,yes\na plot,no\n" * 5 + "a story,\n")
    alone = Source((_labelled(texts, tmp_path),))
    for wrong, match in (
        (replace(options, pseudo_labels=5), "--pseudo-labels: .* --teacher"),
        (replace(options, align=True), "--align: .* --teacher"),
        (replace(taught, pseudo_labels=0), "at least 1"),
        (replace(taught, teacher=str(lm)), "--teacher .*: a language-model, where a classifier"),
        (replace(taught, teacher=str(tmp_path / "none")), "none"),
        (replace(taught, data=Source((str(others),))), "the data has no, yes"),
        (replace(taught, data=alone), "--unlabelled"),
        (replace(taught, task="ordinal", order=("bad", "good")), "kind"),
    ):
        with pytest.raises(InputError, match=match):
            next(train(wrong))
        assert not Path(f"{wrong.out}.run").exists()
    with pytest.raises(InputError, match="would replace it"):
        next(train(replace(taught, out=str(taught.teacher)), overwrite=True))
    with pytest.raises(InputError, match="teacher"):
        bench(taught)


def test_pseudo_labels_weigh_as_labels_do_on_average() -> None:
    """Whatever the scale of the weights that were given."""
    pseudo = Labelled([np.arange(4)] * 5, np.zeros(5, int))
    parts = []
    for scale in (1, 200):
        data = Labelled([np.arange(3)] * 20, np.arange(20) % 2, scale * np.tile([1.0, 1, 3, 3], 5))
        train_part, valid = split_rows(data, ["a", "b"], 0, "single", Objective(), pseudo)
        assert len(valid.documents) == 2 and all(len(d) == 3 for d in valid.documents)
        assert [len(d) for d in train_part.documents] == [3] * 18 + [4] * 5
        assert train_part.weights is not None
        own, given = train_part.weights[:18], train_part.weights[18:]
        assert given == pytest.approx(own.mean())
        parts.append(train_part.weights)
    assert parts[0] == pytest.approx(parts[1])


def test_a_budget_keeps_time_for_the_teacher(taught: TrainOptions) -> None:
    teacher = teacher_of(taught, drawn(taught), [])
    assert isinstance(teacher, Teacher)
    budget = Budget(100.0, documents=7)
    assert teacher.kept(budget).documents == 7 + 10  # ten texts without a label, one direction
    assert replace(teacher, wanted=3).kept(budget).documents == 7 + 3


def test_a_budget_knows_that_pieces_are_short() -> None:
    """The language model gets what a classifier of pieces leaves."""
    budget, chosen = Budget(100.0), preset("default")

    def left(words: int, rows: int, taught: int) -> Budget:
        return language_models_part(budget, ["a " * words], rows, chosen, 1, 2, taught)

    assert left(10, 800, 200) == left(10, 1000, 0)
    assert left(1000, 800, 200).spared < left(1000, 1000, 0).spared


def test_the_report_tells_of_the_teacher(taught: TrainOptions, teacher: Path) -> None:
    _, bundle = finish(train(taught))
    finish(write_report(taught.out, machine=MACHINE))
    told = (Path(taught.out) / "report.html").read_text()
    count = bundle.metrics["pseudo_labelled"]
    assert f"{count} more with labels by the teacher" in told
    assert f"{count} pseudo-labelled texts" in told
