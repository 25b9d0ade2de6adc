"""The classifier's stage: every preset runs, it learns, and both directions are averaged."""

import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.data.stream import reverse_document
from ulmfit.errors import InputError
from ulmfit.language_modelling import Hardware
from ulmfit.model.dropout import Dropouts
from ulmfit.model.fast_inference import int8_is_fast, int8_levels
from ulmfit.presets import PRESETS, ClassifierSettings
from ulmfit.run import Validated
from ulmfit.stages.classify import Labelled, classify, stratified_split
from ulmfit.targets.answers import probabilities as answered
from ulmfit.tasks import classify_documents, document_logits
from ulmfit.training.checkpoint import load_checkpoint

FP32 = Hardware("cpu", "fp32")
NAMES = ["bad", "good"]
PAD = 1
Result = TypeVar("Result")


def finish(stage: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    records = []
    while True:
        try:
            records.append(next(stage))
        except StopIteration as end:
            return records, end.value


@pytest.fixture
def data(documents: list[NDArray[np.int64]], labels: NDArray[np.int64]) -> Labelled:
    return Labelled(documents, labels)


def short(settings: ClassifierSettings, epochs: int = 2) -> ClassifierSettings:
    return replace(settings, epochs=epochs, min_steps=0, batch=8)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(name: str, tiny: Bundle, data: Labelled, tmp_path: Path) -> None:
    settings = short(PRESETS[name].classifier)
    records, bundle = finish(
        classify(tiny, data, NAMES, settings, tmp_path, hardware=FP32, preset=name)
    )
    epochs = sum(phase.epochs for phase in settings.phases(5))
    assert sum(isinstance(r, Validated) for r in records) == epochs
    assert (bundle.kind, bundle.preset, bundle.labels) == ("classifier", name, NAMES)
    probabilities = classify_documents(bundle.classifier("forward"), data.documents, PAD)
    assert probabilities.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("unfreezing", ["chain-thaw", "last", "all", "gradual"])
def test_every_way_to_unfreeze_runs(
    unfreezing: Any, tiny: Bundle, data: Labelled, tmp_path: Path
) -> None:
    settings = short(ClassifierSettings(unfreezing=unfreezing), 1)
    finish(classify(tiny, data, NAMES, settings, tmp_path, hardware=FP32))
    before = tiny.weights["forward"]
    after = load_checkpoint(tmp_path / "forward" / "checkpoint.safetensors")["model"]
    body = [n for n in before if n.startswith("encoder.")]  # the last epoch's, best or not
    same = [torch.equal(before[n], after[n]) for n in body]
    assert all(same) if unfreezing == "last" else not any(same)


def test_it_learns_to_tell_labels_that_single_words_give_away(
    tiny: Bundle, data: Labelled, tmp_path: Path
) -> None:
    settings = ClassifierSettings(
        dropouts=Dropouts(0.1, 0.1, 0.1, 0.0, 0.1),
        head_dropouts=(0.1, 0.1),
        batch=8,
        unfreezing="all",
        factor=1.0,
        epochs=20,
    )
    _, bundle = finish(classify(tiny, data, NAMES, settings, tmp_path, hardware=FP32))
    got = classify_documents(bundle.classifier("forward"), data.documents, PAD).argmax(1)
    assert (got == data.labels).mean() >= 0.85


def test_the_two_directions_read_and_are_averaged(
    tiny: Bundle, data: Labelled, tmp_path: Path
) -> None:
    settings = short(PRESETS["v1"].classifier, 3)
    _, bundle = finish(
        classify(
            tiny,
            data,
            NAMES,
            settings,
            tmp_path,
            directions=("forward", "backward"),
            seed=4,
            hardware=FP32,
        )
    )
    held_out = data.take(stratified_split(data.labels, NAMES, 0.1, 4)[1])
    turned = [reverse_document(d) for d in held_out.documents]
    forward = classify_documents(bundle.classifier("forward"), held_out.documents, PAD)
    backward = classify_documents(bundle.classifier("backward"), turned, PAD)
    rows = np.arange(len(held_out.labels))
    for probabilities, figures in [
        (forward, bundle.metrics["forward"]["validation"]),
        (backward, bundle.metrics["backward"]["validation"]),
        ((forward + backward) / 2, bundle.metrics["validation"]),
    ]:
        wanted = -np.log(probabilities[rows, held_out.labels]).mean()
        assert figures["loss"] == pytest.approx(wanted, rel=1e-5)
    if int8_is_fast():
        rounded = [
            document_logits(bundle.classifier(direction), documents, PAD, "int8")
            for direction, documents in (("forward", held_out.documents), ("backward", turned))
        ]
        answers = answered(np.stack(rounded, 1), "single", 1.0)
        wanted = -np.log(answers[rows, held_out.labels]).mean()
        change = wanted - bundle.metrics["validation"]["loss"]
        assert bundle.metrics["int8"]["loss_change"] == pytest.approx(change, abs=1e-6)


def test_int8_is_measured_on_the_model_itself_and_with_which_levels(
    tiny: Bundle, data: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not int8_is_fast():
        pytest.skip("this CPU has no fast int8")

    def refuse(model: Any) -> Any:
        raise AssertionError("a model on the CPU needs no copy")

    monkeypatch.setattr(sys.modules[classify.__module__], "deepcopy", refuse)
    settings = short(PRESETS["v2"].classifier, 1)
    _, bundle = finish(classify(tiny, data, NAMES, settings, tmp_path, hardware=FP32))
    assert bundle.metrics["int8"]["levels"] == int8_levels() > 0
    assert isinstance(bundle.metrics["int8"]["alike"], bool)


def test_one_seed_gives_one_classifier(tiny: Bundle, data: Labelled, tmp_path: Path) -> None:
    settings = short(PRESETS["v2"].classifier, 1)
    weights = [
        finish(classify(tiny, data, NAMES, settings, tmp_path / name, seed=seed, hardware=FP32))[
            1
        ].weights["forward"]
        for name, seed in [("a", 0), ("b", 0), ("c", 1)]
    ]
    assert all(torch.equal(t, weights[1][n]) for n, t in weights[0].items())
    assert not torch.equal(weights[0]["head.linear1.weight"], weights[2]["head.linear1.weight"])


def test_a_split_holds_every_label_on_both_sides() -> None:
    labels = np.array([0] * 50 + [1] * 2 + [2] * 9)
    train, valid = stratified_split(labels, ["a", "b", "c"], 0.1, seed=0)
    assert sorted([*train, *valid]) == list(range(61))
    assert np.bincount(labels[valid]).tolist() == [5, 1, 1]
    assert set(labels[train]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("labels", "names", "told"),
    [
        ([0, 0, 0], ["bad"], r"one label only \(bad\); two at least"),
        ([], [], r"one label only \(none\)"),
        ([0, 0, 1], NAMES, "label 'good' has 1 row; each needs two at least"),
        ([0, 0, 0], NAMES, "label 'good' has 0 rows; each needs two"),
    ],
)
def test_labels_that_cannot_be_learned_are_told_before_any_work(
    labels: list[int],
    names: list[str],
    told: str,
    tiny: Bundle,
    documents: list[NDArray[np.int64]],
    tmp_path: Path,
) -> None:
    data = Labelled(documents[: len(labels)], np.array(labels, np.int64))
    with pytest.raises(InputError, match=told):
        next(classify(tiny, data, names, PRESETS["v2"].classifier, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
