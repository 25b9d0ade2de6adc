"""Answers of every kind: in order, whatever the batch, and as the target says."""

from typing import Any

import numpy as np
import pytest
import torch

from ulmfit import reading
from ulmfit.bundle import Bundle, Direction, HeadConfig, TargetConfig, empty_classifier
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import Architecture
from ulmfit.model.fast_inference import int8_is_fast
from ulmfit.predict import Answer, Predictor, predict
from ulmfit.targets.answers import probabilities
from ulmfit.targets.decisions import confidence, decide
from ulmfit.targets.kinds import outputs
from ulmfit.text import Encoder
from ulmfit.vectors import document_vectors

NAMES = ["one", "two", "three"]
HEAD = HeadConfig(hidden=5, chunk=7, pooled_tokens=50)


@pytest.fixture
def make(encoder: Encoder) -> Any:
    """A classifier of both directions with weights that make texts differ, not trained."""

    def made(**target: Any) -> Bundle:
        names = [] if target["kind"] == "real" else NAMES
        sizes = Architecture(len(encoder.vocab), 16, 16, 2)
        torch.manual_seed(0)
        weights: dict[Direction, Any] = {}
        for direction in ("forward", "backward"):
            model = empty_classifier(sizes, HEAD, outputs(target["kind"], len(names)))
            for parameter in model.parameters():
                torch.nn.init.normal_(parameter, std=0.6)
            weights[direction] = model.state_dict()
        return Bundle(
            *("classifier", sizes, encoder, weights),
            labels=names,
            head=HEAD,
            target=TargetConfig(**target),
        )

    return made


KINDS: list[dict[str, Any]] = [
    {"kind": "single", "temperature": 2.0},
    {"kind": "multi", "temperature": 0.5, "thresholds": (0.2, 0.5, 0.9)},
    {"kind": "ordinal"},
]


@pytest.mark.parametrize("target", KINDS, ids=lambda t: t["kind"])
def test_answers_are_what_the_target_makes_of_the_logits(
    target: dict[str, Any], make: Any, texts: list[str]
) -> None:
    predictor = Predictor(make(**target))
    logits = np.stack(list(predictor.logits(texts)))
    assert logits.shape == (40, 2, outputs(target["kind"], 3))
    rows = np.stack(list(predictor.probabilities(texts)))
    wanted = probabilities(logits, target["kind"], target.get("temperature", 1.0))
    assert rows == pytest.approx(wanted, abs=1e-6)
    chosen = decide(rows, target["kind"], target.get("thresholds", ()))
    sure = confidence(rows, chosen, target["kind"])
    answers = list(predictor.answers(texts))
    for answer, row, choice, how_sure in zip(answers, rows, chosen, sure, strict=True):
        if target["kind"] == "multi":
            assert answer.label == tuple(n for n, has in zip(NAMES, choice, strict=True) if has)
        else:
            assert answer.label == NAMES[choice]
        assert answer.probabilities == pytest.approx(row)
        assert answer.confidence == pytest.approx(how_sure)
    assert logits.std(0).max() > 0.1, "the texts differ"


@pytest.mark.parametrize("target", [*KINDS, {"kind": "real"}], ids=lambda t: t["kind"])
def test_an_answer_does_not_hang_on_its_company(
    target: dict[str, Any], make: Any, texts: list[str]
) -> None:
    predictor = Predictor(make(**target))
    together = list(predictor.logits(texts))
    order = np.random.default_rng(0).permutation(40)
    for i, row in zip(order, predictor.logits([texts[i] for i in order] + texts[:3]), strict=False):
        assert row == pytest.approx(together[i], abs=1e-4)
    (alone,) = predictor.logits([texts[7]])
    assert alone == pytest.approx(together[7], abs=1e-4)


def test_values_are_in_their_units(make: Any, texts: list[str]) -> None:
    plain, scaled = (
        Predictor(make(kind="real", **told)) for told in ({}, {"mean": 50.0, "scale": 10.0})
    )
    standard = np.array(list(plain.values(texts)))
    assert standard == pytest.approx(np.stack(list(plain.logits(texts))).mean((1, 2)), abs=1e-6)
    assert list(scaled.values(texts)) == pytest.approx(50 + 10 * standard, rel=1e-5)
    assert list(scaled.answers(texts[:1])) == [Answer(next(scaled.values(texts[:1])), None, None)]


def test_what_is_not_sure_enough_is_left_open(make: Any, texts: list[str]) -> None:
    predictor = Predictor(make(kind="single", abstain_below=0.5))
    rows = np.stack(list(predictor.probabilities(texts)))
    for border, asked in [(0.5, None), (0.7, 0.7), (0.0, 0.0)]:
        answers = list(predictor.answers(texts, asked))
        assert [a.label is None for a in answers] == (rows.max(1) < border).tolist()
    assert any(a.label is None for a in predictor.answers(texts))
    assert all(a.probabilities is not None for a in predictor.answers(texts))


@pytest.mark.parametrize(
    ("target", "call", "told"),
    [
        ({"kind": "real"}, lambda p: p.probabilities(["a"]), "real values, not probabilities"),
        ({"kind": "real"}, lambda p: p.answers(["a"], 0.5), "no probabilities to abstain by"),
        ({"kind": "single"}, lambda p: p.values(["a"]), r"labels \(single\), not values"),
        ({"kind": "single"}, lambda p: p.answers(["a"], 1.5), "abstain below 1.5"),
    ],
)
def test_what_a_model_cannot_tell_is_refused_at_once(
    target: dict[str, Any], call: Any, told: str, make: Any
) -> None:
    with pytest.raises(InputError, match=told):
        call(Predictor(make(**target)))


def test_no_texts_give_no_answers(make: Any) -> None:
    bundle = make(kind="multi")
    assert list(predict(bundle, [])) == list(Predictor(bundle).answers([])) == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "fp32"),
        ({"int8": {"alike": False, "levels": 1}}, "fp32"),
        ({"int8": {"alike": True}}, "fp32"),
        ({"int8": {"alike": True, "levels": 128}}, "fp32"),
        ({"int8": {"alike": True, "levels": 1}}, "int8"),
    ],
    ids=str,
)
def test_auto_is_int8_only_where_training_found_it_alike_at_as_many_levels(
    told: dict[str, Any], expected: Any, make: Any, texts: list[str]
) -> None:
    if not int8_is_fast():
        pytest.skip("this CPU has no fast int8")
    bundle = make(kind="single")
    bundle.metrics = told
    predictor = Predictor(bundle, "cpu")
    assert predictor.precision == expected
    wanted = list(Predictor(bundle, "cpu", expected).probabilities(texts))
    np.testing.assert_array_equal(list(predictor.probabilities(texts)), wanted)
    np.testing.assert_array_equal(list(predict(bundle, texts, "cpu")), wanted)
    vectors = list(Predictor(bundle, "cpu", expected).vectors(texts))
    np.testing.assert_array_equal(list(document_vectors(bundle, texts, "cpu")), vectors)
    assert Predictor(bundle, "cpu", "fp32").precision == "fp32"


def test_auto_is_fp32_where_int8_is_slow(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make(kind="single")
    bundle.metrics = {"int8": {"alike": True, "levels": 1}}
    monkeypatch.setattr(reading, "int8_is_fast", lambda: False)
    assert Predictor(bundle, "cpu").precision == "fp32"
