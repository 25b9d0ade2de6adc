"""Every kind of target is learned, and the options of the loss do what they are for."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.language_modelling import Hardware
from ulmfit.metrics import expected_calibration_error
from ulmfit.model.dropout import Dropouts
from ulmfit.presets import PRESETS, ClassifierSettings
from ulmfit.stages.classify import Labelled, classify, stratified_split
from ulmfit.stages.deciding import Policy
from ulmfit.stages.objective import Objective
from ulmfit.targets.answers import nats, probabilities, values
from ulmfit.targets.decisions import best_threshold, confidence, decide, right
from ulmfit.targets.kinds import Kind
from ulmfit.tasks import document_logits

FP32 = Hardware("cpu", "fp32")
PAD = 1
LEARNING = ClassifierSettings(
    dropouts=Dropouts(0.1, 0.1, 0.1, 0.0, 0.1),
    head_dropouts=(0.1, 0.1),
    batch=8,
    unfreezing="all",
    factor=1.0,
    epochs=20,
)
Documents = list[NDArray[np.int64]]


def finish(stage: Generator[Any, None, Bundle]) -> Bundle:
    while True:
        try:
            next(stage)
        except StopIteration as end:
            bundle: Bundle = end.value
            return bundle


def learn(tiny: Bundle, data: Labelled, names: list[str], folder: Path, **how: Any) -> Bundle:
    settings = replace(LEARNING, epochs=how.pop("epochs", 20))
    return finish(classify(tiny, data, names, settings, folder, hardware=FP32, **how))


def logits_of(bundle: Bundle, documents: Documents) -> NDArray[np.float64]:
    """(documents, 1, outputs)."""
    return document_logits(bundle.classifier("forward"), documents, PAD)[:, None]


def held_out(labels: NDArray[Any], names: list[str], kind: Kind) -> NDArray[np.int64]:
    return stratified_split(labels, names, 0.1, 0, kind)[1]


def test_sets_of_labels_are_learned(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    sets = np.column_stack([labels == 1, labels == 0, np.arange(40) % 20 == 3])
    names = ["good", "bad", "rare"]
    bundle = learn(tiny, Labelled(documents, sets), names, tmp_path, kind="multi")
    assert bundle.target.kind == "multi" and bundle.labels == names
    rows = probabilities(logits_of(bundle, documents), "multi")
    answers = decide(rows, "multi", bundle.target.thresholds)
    assert (answers[:, :2] == sets[:, :2]).mean() >= 0.85
    valid = held_out(sets, names, "multi")
    common = best_threshold(rows[valid].ravel(), sets[valid].ravel())
    assert bundle.target.thresholds == pytest.approx((common,) * 3), "few texts: one for all"
    figures = bundle.metrics["validation"]
    assert figures["loss"] == pytest.approx(
        nats(rows[valid], sets[valid], "multi").mean(), rel=1e-5
    )
    assert set(figures) == {"loss", "micro_f1"}


def test_rare_labels_begin_as_rare(tiny: Bundle, documents: Documents, tmp_path: Path) -> None:
    sets = np.zeros((40, 10), bool)
    sets[np.arange(40), np.arange(40) % 10] = True
    names = [str(i) for i in range(10)]
    settings = replace(LEARNING, epochs=1, peak=1e-9)
    stage = classify(
        tiny, Labelled(documents, sets), names, settings, tmp_path, hardware=FP32, kind="multi"
    )
    rows = probabilities(logits_of(finish(stage), documents), "multi")
    assert rows.mean() == pytest.approx(0.1, abs=0.05)


def test_ranks_are_learned(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    ranks = np.where(np.arange(40) % 20 < 2, 1, 2 * labels)  # a few in the middle
    data = Labelled(documents, ranks)
    bundle = learn(tiny, data, ["low", "mid", "high"], tmp_path, kind="ordinal")
    assert bundle.weights["forward"]["head.linear2.weight"].shape[0] == 2
    rows = probabilities(logits_of(bundle, documents), "ordinal")
    assert rows.shape == (40, 3)
    answers, expected = decide(rows, "ordinal"), rows @ np.arange(3)
    low, high = (expected[ranks == rank].mean() for rank in (0, 2))
    assert high - low > 0.5
    outer = answers != 1
    assert outer.any() and (answers == ranks)[outer & (ranks != 1)].mean() >= 0.85
    valid = held_out(ranks, ["low", "mid", "high"], "ordinal")
    assert bundle.metrics["validation"]["mae"] == np.abs(answers - ranks)[valid].mean()


def test_values_are_learned_in_their_units(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    wanted = 1e6 + 2e4 * labels + np.random.default_rng(0).normal(0, 1e3, 40)
    bundle = learn(tiny, Labelled(documents, wanted), [], tmp_path, kind="real")
    train, valid = stratified_split(wanted, [], 0.1, 0, "real")
    target = bundle.target
    assert (target.mean, target.scale) == (wanted[train].mean(), wanted[train].std())
    got = values(logits_of(bundle, documents), target.mean, target.scale)
    assert np.corrcoef(got, wanted)[0, 1] > 0.8
    told = bundle.metrics["validation"]
    assert told["mae"] == pytest.approx(np.abs(got - wanted)[valid].mean(), rel=1e-4)
    assert told["loss"] == pytest.approx(
        (((got - wanted) / target.scale) ** 2)[valid].mean(), rel=1e-4
    )


def test_a_weight_of_nothing_leaves_a_wrong_label_out(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    wrong = np.random.default_rng(0).random(40) < 0.45
    told = np.where(wrong, 1 - labels, labels)
    right_share = {}
    for name, weights in [("all", None), ("right", np.where(wrong, 0.0, 1.0))]:
        data = Labelled(documents, told, weights)
        bundle = learn(tiny, data, ["bad", "good"], tmp_path / name)
        got = logits_of(bundle, documents)[:, 0].argmax(1)
        right_share[name] = (got == labels).mean()
    assert right_share["right"] >= 0.9 > right_share["all"]


def test_a_class_that_weighs_more_is_answered_more(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    rare = np.where(np.arange(40) % 8 == 1, labels, 0)  # five of forty
    shares = {}
    for name, weights in [("none", None), ("balanced", "balanced"), ("named", {"good": 50.0})]:
        data = Labelled(documents, rare)
        objective = Objective(class_weights=weights)  # type: ignore[arg-type]
        bundle = learn(tiny, data, ["bad", "good"], tmp_path / name, objective=objective, epochs=8)
        shares[name] = probabilities(logits_of(bundle, documents), "single")[:, 1].mean()
    assert shares["none"] < shares["balanced"] < shares["named"]


def test_smoothing_and_focus_make_answers_less_sure(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    sure = {}
    for name, objective in {
        "plain": Objective(),
        "smooth": Objective(label_smoothing=0.3),
        "focal": Objective("focal", focal_gamma=3.0),
    }.items():
        bundle = learn(
            tiny, Labelled(documents, labels), ["bad", "good"], tmp_path / name, objective=objective
        )
        sure[name] = probabilities(logits_of(bundle, documents), "single").max(1).mean()
    assert sure["smooth"] < sure["plain"] - 0.03 and sure["focal"] < sure["plain"] - 0.03


def test_weights_that_are_all_alike_change_nothing(
    tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    trained = [
        learn(tiny, Labelled(documents, labels, w), ["bad", "good"], tmp_path / str(i), epochs=1)
        for i, w in enumerate([None, np.full(40, 7.0)])
    ]
    for name, tensor in trained[0].weights["forward"].items():
        assert torch.allclose(tensor, trained[1].weights["forward"][name], atol=1e-5), name


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
def test_the_held_out_texts_decide(
    kind: Kind, tiny: Bundle, documents: Documents, labels: NDArray[np.int64], tmp_path: Path
) -> None:
    names = ["bad", "good"]
    targets = np.column_stack([labels == 0, labels == 1]) if kind == "multi" else labels
    data, policy = Labelled(documents, targets), Policy(calibrate=True, coverage=0.75)
    both = ("forward", "backward")
    bundle = learn(tiny, data, names, tmp_path, kind=kind, policy=policy, epochs=3, directions=both)
    valid = held_out(targets, names, kind)
    turned = [np.concatenate([d[:1], d[:0:-1]]) for d in documents]
    logits = np.stack(
        [
            document_logits(bundle.classifier(d), [read[i] for i in valid], PAD)  # type: ignore[arg-type]
            for d, read in zip(both, (documents, turned), strict=True)
        ],
        axis=1,
    )
    told = bundle.metrics["calibration"]
    assert told["temperature"] == bundle.target.temperature != 1
    assert told["rows"] == len(valid)
    rows = probabilities(logits, kind, bundle.target.temperature)
    truth = targets[valid]
    assert told["loss_after"] == pytest.approx(nats(rows, truth, kind).mean(), rel=1e-5)
    cold = probabilities(logits, kind, 1.0)
    assert told["loss_before"] == pytest.approx(nats(cold, truth, kind).mean(), rel=1e-5)
    if kind == "single":
        wanted = expected_calibration_error(truth, rows)
        assert told["error_after"] == pytest.approx(wanted, abs=1e-5)
    answers = decide(rows, kind, bundle.target.thresholds)
    sure = confidence(rows, answers, kind)
    assert bundle.target.abstain_below is not None
    assert (sure >= bundle.target.abstain_below - 1e-6).mean() >= 0.75
    whole = bundle.metrics["coverage"][0]
    assert whole["coverage"] == 1 and whole["n"] == len(valid)
    assert whole["accuracy"] == right(answers, truth).mean()


@pytest.mark.parametrize(
    ("kind", "how", "told"),
    [
        ("single", {"objective": Objective(label_smoothing=1.0)}, "label smoothing 1.0"),
        ("single", {"objective": Objective(focal_gamma=-1.0)}, "focal gamma -1.0"),
        ("single", {"objective": Objective(focal_gamma=1.0)}, "is of the focal loss"),
        ("single", {"objective": Objective("hinge")}, "cross-entropy, focal"),  # type: ignore[arg-type]
        ("single", {"objective": Objective(class_weights={"ugly": 2.0})}, "'ugly'"),
        ("real", {"objective": Objective("focal")}, "no focal loss"),
        ("real", {"objective": Objective(label_smoothing=0.1)}, "no label smoothing"),
        ("real", {"objective": Objective(class_weights="balanced")}, "has no classes"),
        ("real", {"policy": Policy(coverage=0.9)}, "no probabilities to abstain by"),
        ("single", {"policy": Policy(abstain_below=0.5, coverage=0.9)}, "give one"),
        ("single", {"policy": Policy(abstain_below=1.5)}, "abstain below 1.5"),
        ("single", {"policy": Policy(coverage=0.0)}, "coverage 0.0"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_work(
    kind: Kind,
    how: dict[str, Any],
    told: str,
    tiny: Bundle,
    documents: Documents,
    labels: NDArray[np.int64],
    tmp_path: Path,
) -> None:
    targets = labels.astype(float) if kind == "real" else labels
    names = [] if kind == "real" else ["bad", "good"]
    with pytest.raises(InputError, match=told):
        learn(tiny, Labelled(documents, targets), names, tmp_path / "run", kind=kind, **how)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("kind", ["multi", "ordinal", "real"])
def test_every_preset_takes_every_kind(
    kind: Kind, name: str, tiny: Bundle, documents: Documents, tmp_path: Path
) -> None:
    ranks = np.arange(40) % 4
    targets: Any = {"multi": ranks[:, None] == np.arange(4), "ordinal": ranks, "real": ranks + 0.5}
    names = [] if kind == "real" else ["a", "b", "c", "d"]
    settings = replace(PRESETS[name].classifier, epochs=1, min_steps=0, batch=20)
    bundle = finish(
        classify(
            tiny,
            Labelled(documents, targets[kind]),
            names,
            settings,
            tmp_path,
            hardware=FP32,
            kind=kind,
        )
    )
    assert np.isfinite(bundle.metrics["validation"]["loss"])
