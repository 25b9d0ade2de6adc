"""Parameters -> options of the pipeline, and what `verbose` prints."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sklearn.utils import get_tags

from ulmfit.errors import InputError
from ulmfit.estimator import ULMFiTClassifier, ULMFiTRegressor
from ulmfit.estimator.asked import processes, seed, train_options
from ulmfit.estimator.progress import told
from ulmfit.pipeline import Note, Texts
from ulmfit.pipeline.options import Source, TrainOptions, cores
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import Step


def test_what_is_not_asked_is_as_in_ulmfit_train() -> None:
    usual = TrainOptions(Source(()), "", task="single")
    asked = train_options(ULMFiTClassifier(n_jobs=-1).get_params(), "single")
    assert asked.machine.workers == usual.machine.processes
    assert asked == TrainOptions(**{**vars(usual), "machine": asked.machine})
    assert (asked.machine.seed, asked.machine.device, asked.machine.precision) == (
        *(usual.machine.seed, usual.machine.device, usual.machine.precision),
    )


def test_a_regressor_has_the_classifiers_parameters_but_those_of_classes() -> None:
    regressor, classifier = ULMFiTRegressor().get_params(), ULMFiTClassifier().get_params()
    assert regressor.items() <= classifier.items()
    assert classifier.keys() - regressor.keys() == {
        *{"task", "order", "class_weight", "loss", "focal_gamma", "label_smoothing", "calibrate"},
        *{"abstain_below", "coverage"},
    }


def test_settings_may_hold_numpys_numbers() -> None:
    settings = {"classifier": {"peak": np.float32(0.5), "batch": np.int64(8), "betas": (0, 1)}}
    asked = train_options(ULMFiTClassifier(settings=settings).get_params(), "single").settings
    assert asked == settings and asked is not None
    assert {type(value) for value in asked["classifier"].values()} == {float, int, tuple}


def test_settings_that_no_model_could_keep_are_refused() -> None:
    given = {"classifier": {"peak": Decimal("0.5")}}
    with pytest.raises(InputError, match=r"settings: what JSON has is wanted, .*Decimal"):
        train_options(ULMFiTClassifier(settings=given).get_params(), "single")


@pytest.mark.parametrize("name", ["focal_gamma", "label_smoothing"])
def test_what_is_no_number_is_told(name: str) -> None:
    for wrong in ("2", None, True, Decimal(0)):
        with pytest.raises(InputError, match=f"{name}: a number is wanted"):
            train_options(ULMFiTClassifier(**{name: wrong}).get_params(), "single")


@pytest.mark.parametrize("given", [0, 7, 2**32 - 1, np.int32(7), np.uint32(2**32 - 1)])
def test_a_seed_is_taken_as_it_is(given: Any) -> None:
    assert seed(given) == int(given) and type(seed(given)) is int


@pytest.mark.parametrize("given", [-1, 2**32, 1.0, "7", [7]])
def test_what_is_no_seed_is_told(given: Any) -> None:
    with pytest.raises(InputError, match="random_state"):
        seed(given)


def test_processes_count_from_the_cores() -> None:
    assert [processes(n) for n in (None, 1, 3, -1, -1000)] == [1, 1, 3, cores(), 1]
    for wrong in (0, 1.5, True, "all"):
        with pytest.raises(InputError, match="n_jobs"):
            processes(wrong)


STEP = Step("all", 3, 50, 120, 0.25, (1e-3,), 700, 0.1)
PLAN = Plan("classifier, forward", [{"epochs": 1}, {"epochs": 2}], 1200, 5_000, 61.7)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Note("30 texts"), "30 texts"),
        (PLAN, "classifier, forward: 3 epochs, 1,200 steps, about 62 s"),
        (Validated(2, {"loss": 0.5, "accuracy": 0.25}, True), "epoch 3: loss 0.5, accuracy 0.25"),
        (Validated(0, {}, False), "epoch 1: nothing held out"),
        (STEP, None),
        (Texts("counting words", 3), None),
    ],
)
def test_what_is_printed(event: Any, line: str | None) -> None:
    assert told(event, 0) is None
    assert (told(event, 1) or "").startswith(line or "")
    assert (told(event, 1) is None) == (line is None)


def test_more_is_printed_if_asked() -> None:
    assert told(STEP, 2) == "all: step 50 of 120, loss 0.2500"
    assert told(Step("all", 3, 51, 120, 0.25, (1e-3,), 700, 0.1), 2) is None


@pytest.mark.parametrize("make", [ULMFiTClassifier, ULMFiTRegressor])
def test_tags_say_that_it_takes_strings(make: Any) -> None:
    tags = get_tags(make())
    assert tags.input_tags.string and not tags.input_tags.two_d_array and tags.target_tags.required
