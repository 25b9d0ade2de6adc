"""The record of trials: the preset first, and a study taken up again asks the same."""

from pathlib import Path

import pytest

from ulmfit.presets import PRESETS
from ulmfit.tuning.space import Dimension, classifier_space
from ulmfit.tuning.study import Study

pytest.importorskip("optuna", reason="the extra [tune] is not installed")
SPACE = classifier_space(PRESETS["default"].classifier)


def value_of(found: dict[str, float]) -> float:
    """Best at a high peak and small dropout."""
    return found["peak"] * 10 - found["dropout"]


def asked(folder: Path, trials: int, again: int = 0) -> list[dict[str, float]]:
    """What a study asks for; opened anew `again` times, the last trial not told each time."""
    folder.mkdir(exist_ok=True)
    seen: list[dict[str, float]] = []
    study = Study(folder, SPACE, maximize=True, seed=3)
    while len(seen) < trials:
        number, found = study.ask()
        assert number == len(seen)
        if again:
            again -= 1
            study = Study(folder, SPACE, maximize=True, seed=3)
            continue
        seen.append(found)
        study.tell(value_of(found), note=number)
    return seen


def test_the_first_trial_is_the_preset(tmp_path: Path) -> None:
    assert asked(tmp_path / "a", 1) == [{name: d.preset for name, d in SPACE.items()}]


def test_a_study_that_was_stopped_asks_for_what_it_would_have(tmp_path: Path) -> None:
    whole = asked(tmp_path / "whole", 14)
    assert len({tuple(found.items()) for found in whole}) == 14
    assert asked(tmp_path / "stopped", 14, again=4) == whole
    first = asked(tmp_path / "two", 6)
    study = Study(tmp_path / "two", SPACE, maximize=True, seed=3)
    assert len(study.ended()) == 6
    rest = []
    for _ in range(8):
        _, found = study.ask()
        rest.append(found)
        study.tell(value_of(found))
    assert first + rest == whole


def test_it_learns_from_what_it_is_told(tmp_path: Path) -> None:
    """Later trials are better than the first, which are drawn blindly."""
    values = [value_of(found) for found in asked(tmp_path / "a", 40)]
    assert sum(values[-10:]) / 10 > sum(values[1:10]) / 9


def test_a_trial_without_a_figure_is_over_too(tmp_path: Path) -> None:
    study = Study(tmp_path, SPACE, maximize=False, seed=0)
    study.ask()
    study.tell(float("nan"), broken="no number")
    (trial,) = study.ended()
    assert trial.value is None and trial.user_attrs["broken"] == "no number"
    assert study.ask()[0] == 1


def test_whole_numbers_and_choices_stay_so(tmp_path: Path) -> None:
    space = {
        "n": Dimension(1, 9, 3, log=True, whole=True),
        "c": Dimension(0, 0, 32, choices=(16, 32)),
    }
    study = Study(tmp_path, space, maximize=True, seed=0)
    for _ in range(8):
        _, found = study.ask()
        assert isinstance(found["n"], int) and 1 <= found["n"] <= 9 and found["c"] in (16, 32)
        study.tell(0.0)
