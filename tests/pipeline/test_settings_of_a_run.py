"""Settings of one's own on the whole road: they count, they are kept, and the door refuses them."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline import resume, train
from ulmfit.pipeline.command_line import command_line
from ulmfit.pipeline.options import Source, TrainOptions
from ulmfit.run import Plan
from ulmfit.settings import read_settings
from ulmfit.training.loop import Step

from .conftest import MACHINE, finish

SETTINGS = {
    "preset": "default",
    "language_model": {"peak": 0.001, "factor": 1.0, "epochs": 1},
    "classifier": {"peak": 0.02, "factor": 2.0, "epochs": 2, "batch": 8},
}


@pytest.fixture
def options(data: Path, lm: Path, tmp_path: Path) -> TrainOptions:
    return TrainOptions(
        Source((str(data),)),
        str(tmp_path / "model"),
        MACHINE,
        str(lm),
        direction="forward",
        settings=SETTINGS,
    )


def test_both_stages_follow_them(options: TrainOptions) -> None:
    events, bundle = finish(train(options))
    language, classifier = (event for event in events if isinstance(event, Plan))
    assert language.phases[-1]["epochs"] == 1
    assert language.phases[-1]["peak_rates"] == [0.001] * 3
    assert classifier.phases[-1]["epochs"] == 2
    assert classifier.phases[-1]["peak_rates"] == pytest.approx([0.0025, 0.005, 0.01, 0.02])
    assert bundle.provenance["options"]["settings"] == SETTINGS


def test_an_option_for_the_epochs_goes_before_them(options: TrainOptions) -> None:
    events, _ = finish(train(replace(options, epochs=1, finetune=False)))
    (plan,) = (event for event in events if isinstance(event, Plan))
    assert plan.phases[-1]["epochs"] == 1 and plan.phases[-1]["peak_rates"][-1] == 0.02


def test_a_resumed_run_keeps_them(options: TrainOptions) -> None:
    whole = Path(options.out).with_name("whole")
    finish(train(replace(options, out=str(whole))))
    events = train(options)
    next(event for event in events if isinstance(event, Step))
    events.close()
    finish(resume(Path(options.out)))
    for name in ("model.safetensors", "metrics.json", "config.json"):
        assert (whole / name).read_bytes() == (Path(options.out) / name).read_bytes()


def test_the_command_of_a_run_asks_for_them_again(options: TrainOptions) -> None:
    words = shlex.split(shlex.join(command_line("train", options)))
    assert read_settings(words[words.index("--settings") + 1]) == json.loads(json.dumps(SETTINGS))


def test_wrong_ones_are_refused_before_anything_is_made(options: TrainOptions) -> None:
    wrong = replace(options, settings={"classifier": {"peek": 1}})
    with pytest.raises(InputError, match=r"'classifier\.peek'; did you mean 'peak'"):
        next(train(wrong))
    with pytest.raises(InputError, match="--preset default"):
        next(train(replace(options, preset="v2")))
    out = Path(options.out)
    assert not out.exists() and not out.with_name("model.run").exists()
