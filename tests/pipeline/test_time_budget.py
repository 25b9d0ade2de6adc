"""A time budget holds: on a clock that the work itself moves, every road ends in time, and uses it.

What costs time here: a token that is learned from, a third of it for one that is read, a step, a
checkpoint, the reading of the files, the baseline. The documents are of very different lengths, as
real ones are.
"""

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ulmfit import language_modelling
from ulmfit import run as runs
from ulmfit.cross_validation import CrossValidationOptions, cross_validate
from ulmfit.estimator import ULMFiTClassifier
from ulmfit.pipeline import Note, afterwards, finetune, finetuning, pretrain, resume, train
from ulmfit.pipeline.options import FinetuneOptions, PretrainOptions, Source, TrainOptions
from ulmfit.reading import DocumentReader
from ulmfit.report import examination, write_report
from ulmfit.run import Plan
from ulmfit.stream_task import LanguageModelTask
from ulmfit.tasks import ClassifierTask
from ulmfit.training.loop import Step
from ulmfit.tuning import TuneOptions, tune

from .conftest import MACHINE, finish

TOKEN, STEP, SAVE, READING, FITTING = 0.1, 0.2, 0.1, 20.0, 0.3  # seconds; fitting a text
SMALL: dict[str, Any] = {
    "language_model": {"bptt": 10, "batch": 8, "epochs": 30},
    "classifier": {"batch": 8, "epochs": 500},
}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    @property
    def spent(self) -> float:
        return self.now - 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Moved by the work, and looked at by all that time it."""
    clock = Clock()

    def costing(place: Any, name: str, cost: Callable[..., float]) -> None:
        function = getattr(place, name)

        def slow(*arguments: Any, **named: Any) -> Any:
            found = function(*arguments, **named)
            clock.now += cost(arguments, found)
            return found

        monkeypatch.setattr(place, name, slow)

    def read(arguments: Any, _: object) -> float:
        return TOKEN / 3 * sum(map(len, arguments[1]))

    for task in (LanguageModelTask, ClassifierTask):
        costing(task, "loss", lambda _, found: STEP + TOKEN * found[2])
    costing(language_modelling, "stream_nats", lambda _, found: TOKEN / 3 * found[1])
    costing(DocumentReader, "logits", read)
    costing(runs, "save_checkpoint", lambda *_: SAVE)
    for module in (afterwards, examination):
        costing(module, "fit_baseline", lambda given, _: FITTING * len(given[0]))
    encode = finetuning.encode

    def slow_encode(*arguments: Any, **named: Any) -> Any:
        clock.now += READING
        return (yield from encode(*arguments, **named))

    monkeypatch.setattr(finetuning, "encode", slow_encode)
    monkeypatch.setattr(time, "perf_counter", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def reviews(tmp_path: Path) -> Callable[[str, int], Source]:
    """Makes a file of so many reviews of 4 to 60 words."""
    draw = random.Random(1)
    words = ["film", "plot", "good", "bad", "the", "a", "end", "actor", "dull", "fine"]

    def made(name: str, count: int) -> Source:
        lines = ["text,label"]
        for number in range(count):
            length = round(4 * 15 ** draw.random())
            lines.append(
                f"{' '.join(draw.choice(words) for _ in range(length))},{'ab'[number % 2]}"
            )
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return Source((str(tmp_path / name),))

    return made


@pytest.fixture
def options(reviews: Any, lm: Path, tmp_path: Path) -> TrainOptions:
    """Far more epochs than any budget of these tests pays for."""
    return TrainOptions(
        *(reviews("many.csv", 60), str(tmp_path / "model"), MACHINE, str(lm)),
        direction="forward",
        settings=SMALL,
    )


def plans(events: list[Any]) -> list[Plan]:
    return [event for event in events if isinstance(event, Plan)]


def within(minutes: float, clock: Clock, least: float = 0.6) -> bool:
    return least * minutes * 60 < clock.spent <= minutes * 60


def test_training_ends_in_time_and_uses_it(options: TrainOptions, clock: Clock) -> None:
    both = replace(options, direction="both", time_budget=40.0)
    events, _ = finish(train(both))
    assert within(40, clock)
    names = [plan.stage.split(",")[0] for plan in plans(events)]
    assert names == ["fine-tuning the language model"] * 2 + ["classifier"] * 2


FEW: dict[str, Any] = {  # a long language model, a short classifier
    "language_model": SMALL["language_model"] | {"epochs": 3000},
    "classifier": {"batch": 8, "epochs": 2, "min_steps": 0},
}
MOST = 0.6 * 60  # seconds of a minute, more than a language model has where it has its share alone


def test_a_short_classifier_leaves_its_time_to_the_language_model(
    options: TrainOptions, clock: Clock
) -> None:
    events, _ = finish(train(replace(options, settings=FEW, labels=20, time_budget=40.0)))
    assert within(40, clock)
    language_model, classifier = plans(events)
    assert language_model.seconds > 3 * classifier.seconds  # 60% would be 1.5 times
    assert sum(phase["epochs"] for phase in classifier.phases) >= 2 + 2  # nothing of it is cut


def test_the_test_rows_the_baseline_and_the_report_are_counted(
    options: TrainOptions, reviews: Any, clock: Clock
) -> None:
    """150 rows to measure on, twice, and 60 to learn TF-IDF from: more than what is kept back.

    What a report explains hangs on the mistakes: time is kept for long ones.
    """
    tested = replace(options, test=reviews("test.csv", 150).paths, finetune=False, time_budget=30.0)
    finish(train(tested, report_rows=examination.ROWS))
    trained = clock.spent
    finish(write_report(options.out, machine=MACHINE))
    assert within(30, clock, least=0.5) and clock.spent - trained > 100


def test_where_not_even_an_epoch_a_phase_fits_each_is_cut_and_again_when_resumed(
    options: TrainOptions, clock: Clock, tmp_path: Path
) -> None:
    short = replace(options, finetune=False, time_budget=4.0)
    events, bundle = finish(train(short))
    assert within(4, clock, least=0.4) and bundle.kind == "classifier"
    (plan,) = plans(events)
    steps = [event for event in events if isinstance(event, Step)]
    assert [phase["epochs"] for phase in plan.phases] == [1, 1, 1, 1]
    assert len(steps) == plan.steps < 4 * 7
    assert {step.phase for step in steps} == {phase["name"] for phase in plan.phases}
    broken = train(replace(short, out=str(tmp_path / "again")))
    next(event for event in broken if isinstance(event, Step) and event.phase == "last 2")
    broken.close()
    finish(resume(tmp_path / "again"))
    for name in ("model.safetensors", "metrics.json"):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_resumed_run_has_what_earlier_sessions_left(options: TrainOptions, clock: Clock) -> None:
    """The first one began half an hour before it was broken off, and the classifier is to come."""
    broken = train(replace(options, lm_epochs=1, time_budget=40.0))
    next(e for e in broken if isinstance(e, Plan) and e.stage.startswith("classifier"))
    broken.close()
    told = json.loads((Path(f"{options.out}.run") / "run.json").read_text())
    told["sessions"][0]["at"] = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    (Path(f"{options.out}.run") / "run.json").write_text(json.dumps(told))
    clock.now = 1000.0
    finish(resume(Path(options.out)))
    assert within(10, clock)
    first, *_ = (Path(options.out) / "training.jsonl").read_text().splitlines()
    sessions = json.loads(first)["sessions"]
    assert sessions[0]["seconds"] == pytest.approx(1800, abs=60) and "seconds" not in sessions[1]


def test_a_budget_that_is_over_too_early_is_told(options: TrainOptions, clock: Clock) -> None:
    events, _ = finish(train(replace(options, time_budget=0.01)))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any(note.startswith("--time-budget 0.01: the time is over before") for note in notes)
    assert [plan.steps for plan in plans(events)] == [1, 4]  # a step for each epoch


def test_language_models_end_in_time_and_use_it(
    options: TrainOptions, clock: Clock, tmp_path: Path
) -> None:
    tuned = FinetuneOptions(
        *(str(options.lm), options.data, str(tmp_path / "a"), MACHINE),
        direction="both",
        epochs=4,
        time_budget=20.0,
    )
    finish(finetune(tuned))
    assert within(20, clock, least=0.4)  # in steps of 8 rows by 70
    clock.now = 1000.0
    small: dict[str, Any] = {"embedding": 8, "hidden": 8, "layers": 1, "min_count": 1}
    new = PretrainOptions(
        *(options.data, str(tmp_path / "b"), MACHINE),
        **small,
        epochs=20,
        batch=2,
        time_budget=8.0,
    )
    finish(pretrain(new))
    assert within(8, clock)


@pytest.mark.parametrize("per_fold", [False, True])
def test_cross_validation_ends_in_time_and_uses_it(
    per_fold: bool, options: TrainOptions, clock: Clock
) -> None:
    asked = replace(options, time_budget=30.0)
    _, found = finish(cross_validate(CrossValidationOptions(asked, folds=2, lm_per_fold=per_fold)))
    assert within(30, clock) and len(found.each) == 2


@pytest.mark.parametrize("per_fold", [False, True])
def test_short_classifiers_of_a_cross_validation_leave_their_time_too(
    per_fold: bool, options: TrainOptions, clock: Clock
) -> None:
    minutes = 40 if per_fold else 20  # 20 for each language model
    asked = replace(options, settings=FEW, labels=8, time_budget=minutes)
    given = CrossValidationOptions(asked, folds=2, lm_per_fold=per_fold)
    language_model, *others = plans(finish(cross_validate(given))[0])
    assert within(minutes, clock) and language_model.seconds > MOST * 20
    classifiers = [plan for plan in others if plan.stage.startswith("classifier")]
    epochs = [sum(phase["epochs"] for phase in plan.phases) for plan in classifiers]
    assert epochs == [3 + 2, 3 + 2]  # nothing of them is cut


@pytest.fixture
def fit(options: TrainOptions, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[float]]:
    """Fits an estimator; the seconds that were planned, stage after stage."""
    texts = list(options.data.texts())
    how = {"lm": options.lm, "direction": "forward", "device": "cpu", "precision": "fp32"}

    def fitted(labelled: int, minutes: float, **chosen: Any) -> list[float]:
        made = ULMFiTClassifier(**how, time_budget=minutes, verbose=1, **chosen)
        more = texts[labelled:] if chosen.get("finetune", True) else None
        made.fit(texts[:labelled], [i % 2 for i in range(labelled)], more)
        told = re.findall(r"steps, about ([\d,]+) s", capsys.readouterr().out)
        return [float(seconds.replace(",", "")) for seconds in told]

    return fitted


@pytest.mark.parametrize("finetune", [True, False])
def test_an_estimator_ends_in_time_and_uses_it(finetune: bool, fit: Any, clock: Clock) -> None:
    assert len(fit(60, 40.0, settings=SMALL, finetune=finetune)) == 1 + finetune
    assert within(40, clock)


def test_an_estimators_short_classifier_leaves_its_time_but_to_what_is_kept(
    fit: Any, clock: Clock, tmp_path: Path
) -> None:
    """What a memory keeps is for classifiers of any length."""
    language_model, _ = fit(8, 20.0, settings=FEW)
    assert within(20, clock) and language_model > MOST * 20
    clock.now = 1000.0
    kept, _ = fit(8, 20.0, settings=FEW, memory=tmp_path / "memory")
    assert within(20, clock, least=0.5) and kept < MOST * 20


def test_a_search_ends_in_time_and_begins_no_trial_that_does_not_fit(
    options: TrainOptions, clock: Clock
) -> None:
    pytest.importorskip("optuna", reason="the extra [tune] is not installed")
    settings = {**SMALL, "classifier": {"batch": 8, "epochs": 2}}
    asked = replace(options, settings=settings, time_budget=30.0)
    events, found = finish(tune(TuneOptions(asked, trials=100)))
    assert within(30, clock) and 1 < len(found.trials) < 100
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes[-1].startswith("--time-budget 30: the time is over")
    assert found.trials[0].found["epochs"] == 2  # a trial is whole or not begun
