"""A teacher's surest answers on texts without a label are learned from, too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.pipeline import Note, resume, train
from ulmfit.pipeline.classifiers import chosen_preset
from ulmfit.pipeline.drawing import draw_labels
from ulmfit.pipeline.held_out import bench
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.pipeline.pseudo_labels import pseudo_labelled, surest
from ulmfit.predict import Predictor
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


def answers(options: TrainOptions, teacher: Bundle, folder: Path) -> Labelled:
    draw = draw_labels(options.data, None, 0, kind=options.task, order=options.order)
    work = pseudo_labelled(teacher, options, draw, [], teacher.encoder, folder)
    return finish(work)[1]


def test_of_each_class_the_surer_half_is_kept() -> None:
    labels, sure = (
        np.array([0, 0, 0, 0, 1, 1, 1, 3]),
        np.array([0.9, 0.6, 0.8, 0.7, 0.6, 0.9, 0.5, 0.3]),
    )
    assert surest(labels, sure).tolist() == [True, False, True, False, True, True, False, True]
    assert surest(np.zeros(5, int), np.full(5, 0.5)).tolist() == [True, True, True, False, False]


def test_the_teachers_answers_are_learned_from_and_never_held_out(taught: TrainOptions) -> None:
    events, bundle = finish(train(taught))
    notes = [event.text for event in events if isinstance(event, Note)]
    (told,) = (note for note in notes if "pseudo-labelled" in note)
    count = bundle.metrics["pseudo_labelled"]
    assert told.startswith(f"{count} pseudo-labelled texts: bad ") and 5 <= count <= 6  # of ten
    assert bundle.metrics["train_rows"] + bundle.metrics["valid_rows"] == 30
    assert bundle.provenance["options"]["teacher"] == taught.teacher
    learned = sum(event.total for event in events if isinstance(event, Step) and event.step == 1)
    assert learned > 0
    assert "pseudo" not in str(
        finish(train(replace(taught, teacher=None), overwrite=True))[1].metrics
    )


def test_labels_are_those_that_the_teacher_gives(
    taught: TrainOptions, teacher: Path, texts: list[str], tmp_path: Path
) -> None:
    model = bundles.load(teacher)
    found = answers(taught, model, tmp_path / "pseudo")
    rows = np.stack(list(Predictor(model, "cpu").probabilities(texts[30:])))
    given = {
        tuple(model.encoder.encode(text)): row for text, row in zip(texts[30:], rows, strict=True)
    }
    kept = [given[tuple(document)] for document in found.documents]
    assert found.labels.tolist() == [row.argmax() for row in kept]
    for number in np.unique(found.labels):
        mine = sorted((row.max() for row in rows if row.argmax() == number), reverse=True)
        sure = sorted((row.max() for row in kept if row.argmax() == number), reverse=True)
        assert sure == pytest.approx(mine[: len(sure)]) and len(sure) == (len(mine) + 1) // 2


def test_a_teacher_may_number_its_labels_in_another_way(
    taught: TrainOptions, teacher: Path, tmp_path: Path
) -> None:
    model = bundles.load(teacher)
    turned = replace(model, labels=model.labels[::-1])
    here, there = (answers(taught, m, tmp_path / str(i)) for i, m in enumerate((model, turned)))
    assert here.labels.tolist() == (1 - there.labels).tolist()


def test_so_many_answers_at_most(taught: TrainOptions, teacher: Path, tmp_path: Path) -> None:
    model = bundles.load(teacher)
    few = answers(replace(taught, pseudo_labels=2), model, tmp_path / "few")
    assert 2 <= len(few.labels) <= 3  # half of four, and one more where both classes are odd
    again = answers(replace(taught, pseudo_labels=2), model, tmp_path / "again")
    assert [d.tolist() for d in few.documents] == [d.tolist() for d in again.documents]


def test_more_texts_are_answered_and_those_with_a_label_are_not(
    taught: TrainOptions, texts: list[str], tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("\n\n".join([*texts[:30], "one more film", "one more film"]))
    one = replace(taught, data=Source((_labelled(texts, tmp_path),)), unlabelled=(str(more),))
    _, bundle = finish(train(one))
    assert bundle.metrics["pseudo_labelled"] == 1


def _labelled(texts: list[str], folder: Path) -> str:
    path = folder / "labelled.csv"
    rows = (f"{text},{['bad', 'good'][i % 2]}\n" for i, text in enumerate(texts[:30]))
    path.write_text("text,label\n" + "".join(rows))
    return str(path)


def test_a_run_that_was_stopped_ends_in_the_same_bytes(
    taught: TrainOptions, tmp_path: Path
) -> None:
    finish(train(replace(taught, out=str(tmp_path / "whole"))))
    events = train(taught)
    for event in events:
        if isinstance(event, Step):
            break
    events.close()
    finish(resume(Path(f"{taught.out}.run")))
    for name in ("model.safetensors", "metrics.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (Path(taught.out) / name).read_bytes()


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
        (replace(options, pseudo_labels=5), "--teacher"),
        (replace(taught, pseudo_labels=0), "at least 1"),
        (replace(taught, teacher=str(lm)), "classifier"),
        (replace(taught, teacher=str(tmp_path / "none")), "none"),
        (replace(taught, data=Source((str(others),))), "the data has no, yes"),
        (replace(taught, data=alone), "--unlabelled"),
        (replace(taught, task="ordinal", order=("bad", "good")), "kind"),
    ):
        with pytest.raises(InputError, match=match):
            next(train(wrong))
        assert not Path(f"{wrong.out}.run").exists()
    with pytest.raises(InputError, match="teacher"):
        bench(taught)


def test_pseudo_labels_weigh_as_labels_do() -> None:
    data = Labelled([np.arange(3)] * 20, np.arange(20) % 2, np.full(20, 2.0))
    pseudo = Labelled([np.arange(4)] * 5, np.zeros(5, int))
    train_part, valid = split_rows(data, ["a", "b"], 0, "single", Objective(), pseudo)
    assert len(valid.documents) == 2 and all(len(d) == 3 for d in valid.documents)
    assert [len(d) for d in train_part.documents] == [3] * 18 + [4] * 5
    assert train_part.weights is not None
    assert len(set(train_part.weights[:18])) == len(set(train_part.weights[18:])) == 1
    assert train_part.weights[0] == pytest.approx(2 * train_part.weights[-1])
