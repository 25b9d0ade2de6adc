"""What is told to a tracker, that it disturbs nothing, and that its failures cost no training."""

from dataclasses import replace
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import Note, resume, train
from ulmfit.pipeline.options import TrainOptions
from ulmfit.run import Validated
from ulmfit.tracking import track, track_again
from ulmfit.training.loop import EpochEnd, Step

from .conftest import Recording, finish


def test_every_figure_of_a_run_is_told(options: TrainOptions, recording: list[Recording]) -> None:
    events, bundle = finish(track(train(options), ["recording"], options.out, options))
    (told,) = recording
    steps = [event for event in events if isinstance(event, Step)]
    losses = [
        v for name, each in told.told.items() if name.endswith("/loss") for v in each.values()
    ]
    assert losses == [step.loss for step in steps]
    language, classifier = "fine-tuning the language model forward", "classifier forward"
    count = len(told.told[f"{classifier}/loss"])
    assert list(told.told[f"{classifier}/loss"]) == list(range(1, count + 1))
    head = list(told.told[f"{classifier}/rate of head"].values())
    assert head == [step.rates[-1] for step in steps[-count:]]
    embedding = told.told[f"{classifier}/rate of embedding"]
    assert 0 < len(embedding) < count  # not told while it is frozen
    assert f"{language}/rate of embedding decoder" in told.told
    validated = [event for event in events if isinstance(event, Validated)]
    accuracies = list(told.told[f"{classifier}/validation accuracy"].values())
    assert accuracies == [v.figures["accuracy"] for v in validated if "accuracy" in v.figures]
    ends = [event.loss for event in events if isinstance(event, EpochEnd)]
    assert sorted(v for n, e in told.told.items() if "epoch" in n for v in e.values()) == sorted(
        ends
    )
    assert told.told["test/accuracy"][count] == bundle.metrics["test"]["accuracy"]
    assert told.closed == [True]


def test_the_parameters_are_what_was_asked_for(
    options: TrainOptions, recording: list[Recording]
) -> None:
    finish(track(train(options), ["recording"], options.out, options))
    asked = recording[0].asked
    assert asked["preset"] == "default" and asked["machine.seed"] == "0"
    assert asked["data.paths"] == options.data.paths[0]
    assert asked["settings.classifier.batch"] == "8"
    assert "labels" not in asked and "unlabelled" not in asked


def test_tracking_changes_nothing(options: TrainOptions, recording: list[Recording]) -> None:
    plain = replace(options, out=options.out + "-plain")
    _, one = finish(train(plain))
    _, other = finish(track(train(options), ["recording"], options.out, options))
    assert one.metrics == other.metrics
    assert not Path(options.out + ".run").exists()


@pytest.mark.parametrize("at", [1, 6, 14, 20])
def test_a_resumed_run_goes_on_in_the_same_record(
    at: int, options: TrainOptions, recording: list[Recording]
) -> None:
    whole = replace(options, out=options.out + "-whole")
    finish(track(train(whole), ["recording"], whole.out, whole))
    wanted = recording.pop().told
    events = track(train(options), ["recording"], options.out, options)
    steps = 0
    while steps < at:
        steps += isinstance(next(events), Step)
    with pytest.raises(KeyboardInterrupt):
        events.throw(KeyboardInterrupt())
    finish(track_again(resume(Path(options.out)), options.out))
    first, second = recording
    assert first is second and first.closed == [False, True]
    timed = "tokens per second"
    assert {n: v for n, v in first.told.items() if timed not in n} == {
        n: v for n, v in wanted.items() if timed not in n
    }


def test_a_run_that_was_not_tracked_is_not_tracked_when_resumed(
    options: TrainOptions, recording: list[Recording]
) -> None:
    events = train(options)
    next(event for event in events if isinstance(event, Step))
    events.close()
    finish(track_again(resume(Path(options.out)), options.out))
    assert recording == []


def test_a_tracker_that_fails_is_left_behind(
    options: TrainOptions, recording: list[Recording]
) -> None:
    asked = ["recording=weak", "recording"]
    events, _ = finish(track(train(options), asked, options.out, options))
    notes = [event.text for event in events if isinstance(event, Note)]
    told = "tracking with recording=weak has stopped, the rest goes on: the server is gone"
    assert notes.count(told) == 1
    weak, other = recording
    assert sum(map(len, weak.told.values())) < sum(map(len, other.told.values()))
    assert other.closed == [True] and Path(options.out).is_dir()


def test_a_record_that_cannot_be_opened_again_costs_no_training(
    options: TrainOptions, recording: list[Recording]
) -> None:
    events = track(train(options), ["recording=brief"], options.out, options)
    next(event for event in events if isinstance(event, Step))
    events.close()
    events, _ = finish(track_again(resume(Path(options.out)), options.out))
    notes = [event.text for event in events if isinstance(event, Note)]
    told = "tracking with recording=brief: gone between two runs; the training goes on without it"
    assert notes.count(told) == 1 and Path(options.out).is_dir()


def test_a_place_that_cannot_be_opened_is_refused_and_nothing_left(
    options: TrainOptions, recording: list[Recording]
) -> None:
    events = track(train(options), ["recording=nowhere"], options.out, options)
    with pytest.raises(InputError, match="tracking with recording=nowhere: no server at nowhere"):
        next(events)
    assert not Path(options.out + ".run").exists()


def test_wrong_input_opens_no_record(options: TrainOptions, recording: list[Recording]) -> None:
    wrong = replace(options, preset="v9")
    with pytest.raises(InputError, match="v9"):
        next(track(train(wrong), ["recording"], wrong.out, wrong))
    assert recording == []


@pytest.mark.parametrize("asked", ["wandb", "tensorboard=", "", "=x"])
def test_a_tracker_that_there_is_not(asked: str, options: TrainOptions) -> None:
    with pytest.raises(InputError, match="expected one of tensorboard, mlflow"):
        track(train(options), [asked], options.out, options)


@pytest.mark.parametrize("kind", ["tensorboard", "mlflow"])
def test_without_the_extra_the_command_that_installs_it_is_named(
    kind: str, options: TrainOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, kind, None)
    with pytest.raises(InputError, match=r"pip install 'ulmfit\[track\]'"):
        track(train(options), [kind], options.out, options)
