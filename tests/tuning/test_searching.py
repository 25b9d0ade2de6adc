"""The search: the preset first, the best kept as settings that train accepts, resumed exactly."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import Note, train
from ulmfit.presets import preset
from ulmfit.report.history import read_record
from ulmfit.run import Plan
from ulmfit.settings import read_settings, with_settings
from ulmfit.training.loop import Step
from ulmfit.tuning import TuneOptions, searching, tune
from ulmfit.tuning.outcome import Trial, best_of
from ulmfit.tuning.timing import TimeLeft

from .conftest import finish

pytest.importorskip("optuna", reason="the extra [tune] is not installed")


def test_the_best_settings_are_those_of_the_best_trial(options: TuneOptions) -> None:
    events, found = finish(tune(options))
    assert found.metric == "accuracy" and found.measured_on == "8 of 40 rows"
    assert [trial.number for trial in found.trials] == [0, 1, 2]
    first = with_settings(preset("default"), options.train.settings or {}).classifier
    assert found.trials[0].found["peak"] == first.peak
    assert found.trials[0].found["epochs"] == 1
    best = found.trials[found.best]
    assert best.value == max(trial.value or 0 for trial in found.trials)
    assert found.settings["classifier"]["peak"] == pytest.approx(best.found["peak"], rel=1e-2)
    assert found.settings["classifier"]["unfreezing"] == "all"  # the base's own values stay
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes[1].startswith("the preset: accuracy 0.")
    assert notes[3].startswith("trial 3 of 3: accuracy 0.")
    assert not [event for event in events if isinstance(event, Plan)]


def test_a_record_of_every_trial_is_kept_and_nothing_large(options: TuneOptions) -> None:
    train_with = replace(options.train, finetune=True, lm_epochs=1)
    finish(tune(replace(options, train=train_with, trials=2, folds=2, tune_lm=True)))
    out = Path(options.train.out)
    kept = {p.relative_to(out).as_posix() for p in out.glob("trial-*/**/*") if p.is_file()}
    parts = ("figures.json", "logits.npy", "training.jsonl")
    folds = {f"trial-{n}/{fold}/{part}" for n in (0, 1) for fold in (1, 2) for part in parts}
    assert kept == folds | {f"trial-{n}/language-model/training.jsonl" for n in (0, 1)}
    for n, fold in ((0, 1), (1, 2)):
        record = read_record(out / f"trial-{n}" / str(fold))
        assert record is not None and (record.run["trial"], record.run["fold"]) == (n, fold)
        assert record.run["command"] == "tune" and record.run["options"]["tune_lm"] is True
        assert record.run["settings"]["classifier"]["epochs"] == len(record.stages[0].epochs)
        assert [stage.name for stage in record.stages] == ["classifier"]
        lm = read_record(out / f"trial-{n}" / "language-model")
        assert lm is not None and [stage.name for stage in lm.stages] == ["finetune"]


def test_few_rows_are_read_as_often_as_train_reads_them(options: TuneOptions) -> None:
    """One step an epoch, of seven that the preset asks for at least."""
    settings = {"classifier": {"epochs": 2, "min_steps": 7, "unfreezing": "all"}}
    few = replace(options, trials=1, train=replace(options.train, settings=settings))
    events, found = finish(tune(few))
    assert len([event for event in events if isinstance(event, Step)]) == 7
    assert found.settings["classifier"]["min_steps"] == 7


def test_train_takes_what_was_found(options: TuneOptions, tmp_path: Path) -> None:
    _, found = finish(tune(options))
    settings = read_settings(found.settings_file)
    events, _ = finish(
        train(replace(options.train, out=str(tmp_path / "model"), settings=settings))
    )
    (plan,) = (event for event in events if isinstance(event, Plan))
    wanted = found.settings["classifier"]
    assert plan.phases[-1]["epochs"] == wanted["epochs"]
    assert plan.phases[-1]["peak_rates"][-1] == wanted["peak"]


def test_the_language_model_is_fine_tuned_once(options: TuneOptions) -> None:
    asked = replace(options, train=replace(options.train, finetune=True, lm_epochs=1), trials=2)
    events, found = finish(tune(asked))
    plans = [event.stage for event in events if isinstance(event, Plan)]
    assert len(plans) == 1 and plans[0].startswith("fine-tuning")
    assert found.language_model is not None
    assert (Path(found.language_model) / "config.json").is_file()
    record = read_record(Path(found.language_model))
    assert record is not None and [stage.name for stage in record.stages] == ["finetune"]
    assert record.run["command_line"][:2] == ["ulmfit", "tune"]
    assert "language_model" not in found.settings


def test_the_language_models_settings_are_searched_where_that_is_asked(
    options: TuneOptions,
) -> None:
    train_with = replace(
        options.train,
        finetune=True,
        settings={**(options.train.settings or {}), "language_model": {"epochs": 1}},
    )
    _, found = finish(tune(replace(options, train=train_with, trials=2, tune_lm=True)))
    assert {"lm_peak", "lm_factor", "lm_dropout", "lm_epochs"} <= found.trials[1].found.keys()
    assert found.settings["language_model"]["peak"] > 0
    assert found.language_model is None
    with_settings(preset("default"), json.loads(Path(found.settings_file).read_text()))


def test_folds_average(options: TuneOptions) -> None:
    _, found = finish(tune(replace(options, trials=1, folds=2)))
    assert found.measured_on == "40 of 40 rows, 2 folds"
    assert found.trials[0].figures["accuracy"] == found.trials[0].value


def test_stopped_anywhere_it_goes_on_to_the_same_end(options: TuneOptions) -> None:
    options = replace(options, folds=2, trials=2)
    _, whole = finish(tune(options))
    for stop in (1, 2, 3):  # of four: two trials with two folds of one step each
        out = Path(options.train.out).with_name(f"stopped-{stop}")
        again = replace(options, train=replace(options.train, out=str(out)))
        events = tune(again)
        steps = 0
        while steps < stop:
            steps += isinstance(next(events), Step)
        with pytest.raises(KeyboardInterrupt):
            events.throw(KeyboardInterrupt())
        _, found = finish(tune(again))
        assert found.settings == whole.settings, stop
        assert [(t.found, t.value) for t in found.trials] == [
            (t.found, t.value) for t in whole.trials
        ]
    more, found = finish(tune(replace(options, trials=3)))  # one more is added, none is repeated
    assert [t.value for t in found.trials[:2]] == [t.value for t in whole.trials]
    assert len([e for e in more if isinstance(e, Note)]) == 2


def test_a_time_budget_too_small_for_one_trial_is_refused_and_the_work_kept(
    options: TuneOptions,
) -> None:
    short = replace(options, train=replace(options.train, time_budget=1e-9))
    with pytest.raises(InputError, match=r"--time-budget 1e-09: the time is over.*goes on"):
        finish(tune(short))
    _, found = finish(tune(options))
    assert len(found.trials) == 3


def test_a_time_budget_ends_the_search_with_what_there_is(
    options: TuneOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that leaps when the second trial is over."""
    now = [0.0]
    monkeypatch.setattr(searching, "TimeLeft", lambda minutes: TimeLeft(minutes, lambda: now[0]))
    events = tune(replace(options, trials=9, train=replace(options.train, time_budget=1.0)))
    told: list[Note] = []
    try:
        while True:
            event = next(events)
            if isinstance(event, Note):
                told.append(event)
                now[0] += 61.0 if event.text.startswith("trial 2") else 0.0
    except StopIteration as end:
        assert len(end.value.trials) == 2
    assert told[-1].text.startswith("--time-budget 1: the time is over")


def test_a_trial_that_breaks_is_told_and_the_next_one_tried(
    options: TuneOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = searching.measured, []

    def sometimes(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise InputError("the outputs are no numbers")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(searching, "measured", sometimes)
    events, found = finish(tune(options))
    assert found.trials[0].value is None and found.trials[0].broken == "the outputs are no numbers"
    assert found.best != 0
    broken = Path(options.train.out) / "trial-0"
    assert [p.name for p in broken.rglob("*") if p.is_file()] == ["records.jsonl"]
    assert any("no numbers" in e.text for e in events if isinstance(e, Note))


def test_rows_that_change_between_two_trials_end_the_search(options: TuneOptions) -> None:
    """They are no fault of the settings that were being tried."""
    events = tune(options)
    next(event for event in events if isinstance(event, Note) and "the preset" in event.text)
    data = Path(options.train.data.paths[0])
    header, *rows = data.read_text().splitlines()
    data.write_text("\n".join([header, *sorted(rows, reverse=True)]) + "\n")
    with pytest.raises(InputError, match="changed while it was being learned from"):
        finish(events)


def trial(number: int, value: float | None, loss: float) -> Trial:
    return Trial(number, {}, value, {"log_loss": loss}, 1.0, "" if value else "broke so")


def test_equal_figures_are_told_apart_by_the_loss() -> None:
    trials = [trial(0, 0.9, 0.4), trial(1, 0.9, 0.3), trial(2, 0.8, 0.1), trial(3, None, 0.0)]
    assert best_of(trials, "accuracy").number == 1
    assert best_of(trials, "log_loss").number == 2
    with pytest.raises(InputError, match=r"every trial broke, .* broke so"):
        best_of(trials[3:], "accuracy")


def test_what_is_refused_at_the_door(options: TuneOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(wrong: TuneOptions, match: str) -> None:
        with pytest.raises(InputError, match=match):
            next(tune(wrong))
        assert not Path(options.train.out).exists()

    refused(replace(options, trials=0), "0 trials")
    refused(replace(options, folds=0), "0 folds")
    refused(replace(options, folds=41), "41 folds of 40")
    refused(replace(options, metric="beauty"), "'beauty': choose one of accuracy, macro_f1")
    refused(replace(options, tune_lm=True), "--no-finetune leaves out")
    thaw = replace(options.train, settings={"classifier": {"unfreezing": "chain-thaw"}})
    refused(replace(options, train=thaw), "'chain-thaw' has rates of its own")
    test = replace(options.train, test=options.train.data.paths)
    refused(replace(options, train=test), "test rows have no part")
    monkeypatch.setitem(sys.modules, "optuna", None)
    refused(options, r"the search for settings needs the extra \[tune\]: pip install")
