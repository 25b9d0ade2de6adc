"""Records of finished runs in a tracker: what it would have been told while they ran."""

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from ulmfit.cross_validation import CrossValidationOptions, cross_validate
from ulmfit.errors import InputError
from ulmfit.pipeline import Note, train
from ulmfit.pipeline.options import TrainOptions
from ulmfit.tracking import send, track
from ulmfit.tracking.sending import Sent

from .conftest import Recording, finish

SEVEN_DIGITS = 1e-6  # of a record


def sent(events: Generator[Note, None, list[Sent]]) -> list[str]:
    """The names of runs that went whole."""
    _, runs = finish(events)
    assert not any(run.failed for run in runs)
    return [run.name for run in runs]


def test_a_tracker_is_told_what_it_would_have_been_told(
    options: TrainOptions, recording: list[Recording]
) -> None:
    finish(track(train(options), ["recording"], options.out, options))
    names = sent(send([options.out], ["recording"]))
    live, after = recording
    assert names == ["model"] and after.identity.startswith("model-")
    assert {n: list(each) for n, each in after.told.items()} == {
        n: list(each) for n, each in live.told.items()
    }
    for name, each in live.told.items():
        assert list(after.told[name].values()) == pytest.approx(
            list(each.values()), rel=SEVEN_DIGITS
        )
    assert "test/accuracy" in after.told and after.closed == [True]
    moved = {"command": "train", "out": str(Path(options.out).absolute())}
    assert live.asked | moved == after.asked


def test_every_fold_of_a_cross_validation_is_a_run(
    options: TrainOptions, recording: list[Recording], tmp_path: Path
) -> None:
    work = replace(options, out=str(tmp_path / "folds"), test=())
    _, found = finish(cross_validate(CrossValidationOptions(work, folds=2)))
    names = sent(send([work.out], ["recording"]))
    assert names == ["folds-1-1", "folds-1-2", "folds-language-model"]
    for fold, run in enumerate(recording[:2]):
        assert run.asked["fold"] == str(fold + 1) and run.asked["command"] == "cross-validate"
        assert list(run.told["test/accuracy"].values()) == pytest.approx(
            [found.each[fold]["accuracy"]], rel=SEVEN_DIGITS
        )


def lines(**own: object) -> str:
    first = {"record": "Run", "command": "tune", "options": {"preset": "v2"}} | own
    last = {"record": "Finished", "at": "", "figures": {}}
    return f"{json.dumps(first)}\n{json.dumps(last)}\n"


def test_the_settings_of_a_trial_are_its_parameters_and_trials_come_in_order(
    recording: list[Recording], tmp_path: Path
) -> None:
    for trial in (10, 2, 1):
        place = tmp_path / "search" / f"trial-{trial}" / "1"
        place.mkdir(parents=True)
        own = {"trial": trial, "settings": {"classifier": {"peak": trial / 100}}}
        (place / "training.jsonl").write_text(lines(**own))
    names = sent(send([tmp_path / "search"], ["recording"]))
    assert names == [f"search-trial-{trial}-1" for trial in (1, 2, 10)]
    wanted = {"preset": "v2", "command": "tune", "trial": "2", "settings.classifier.peak": "0.02"}
    assert recording[1].asked == wanted


def test_two_folders_of_one_name_are_two_runs(recording: list[Recording], tmp_path: Path) -> None:
    for number in (1, 2):
        place = tmp_path / str(number) / "model"
        place.mkdir(parents=True)
        (place / "training.jsonl").write_text(lines(fold=number))
    names = sent(send([tmp_path / "1" / "model", tmp_path / "2" / "model"], ["recording"]))
    assert names == ["model", "model"] and [r.asked["fold"] for r in recording] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no training.jsonl in it: no run ended there"),
        ("", "not a record that ulmfit wrote"),
        ('{"record": "Run", "options": {}}\n', "does not begin with a Run and end with Finished"),
        (lines().replace("options", "opinions"), "not a record that ulmfit wrote"),
        (lines().replace('{"record": "F', '{"record": "Step"}\n{"record": "F'), "not a record"),
    ],
)
def test_what_is_no_record_is_refused_before_anything_is_sent(
    content: str | None, told: str, recording: list[Recording], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, text in ((good, lines()), (bad, content)):
        folder.mkdir()
        if text is not None:
            (folder / "training.jsonl").write_text(text)
    with pytest.raises(InputError, match=told):
        finish(send([good, bad], ["recording"]))
    with pytest.raises(InputError, match="nowhere: no such folder"):
        finish(send([tmp_path / "nowhere"], ["recording"]))
    with pytest.raises(InputError, match="no tracker is named"):
        finish(send([good], []))
    assert recording == []


def test_a_tracker_that_fails_is_told_of_and_the_other_goes_on(
    recording: list[Recording], options: TrainOptions
) -> None:
    finish(train(options))
    events, runs = finish(send([options.out], ["recording=weak", "recording"]))
    assert runs == [Sent("model", ("recording=weak",))]
    notes = [event.text for event in events]
    assert notes[0].startswith("tracking with recording=weak has stopped")
    weak, other = recording
    assert len(weak.told) < len(other.told)
    assert weak.closed == [False] and other.closed == [True]


def test_a_tracker_that_goes_away_between_two_runs(
    recording: list[Recording], tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"run-{number}").mkdir()
        (tmp_path / f"run-{number}" / "training.jsonl").write_text(lines())
    events, runs = finish(send([tmp_path], ["recording=brief"]))
    first, second = (f"{tmp_path.name}-run-{number}" for number in (1, 2))
    assert runs == [Sent(first, ()), Sent(second, ("recording=brief",))]
    assert "gone between two runs" in events[-1].text


def test_a_single_record_may_be_sent(recording: list[Recording], tmp_path: Path) -> None:
    found = json.dumps({"record": "Finished", "at": "", "figures": {"suggestion": 0.01}})
    text = lines(command="find-rate").splitlines()[0] + f"\n{found}\n"
    (tmp_path / "sweep.jsonl").write_text(text)
    assert sent(send([tmp_path / "sweep.jsonl"], ["recording"])) == ["sweep"]
    assert recording[0].told == {"sweep/suggestion": {0: 0.01}}
