"""Weights against scikit-learn's, and what may not be one."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from ulmfit.errors import InputError
from ulmfit.targets.weighting import loss_weights

LABELS = np.array([0] * 12 + [1] * 3 + [2] * 5)
NAMES = ["a", "b", "c"]
SETS = np.array([[1, 0], [1, 0], [1, 1], [0, 0], [1, 0]], bool)


@pytest.mark.parametrize("kind", ["single", "ordinal"])
def test_balanced_is_scikit_learns(kind) -> None:
    got = loss_weights(LABELS, NAMES, kind, "balanced")
    assert got == pytest.approx(compute_sample_weight("balanced", LABELS))


@pytest.mark.parametrize("classes", [None, "balanced", {"a": 2.0, "c": 0.5}])
def test_weights_have_the_mean_one(classes) -> None:
    texts = np.random.default_rng(0).random(20)
    for given in (None, texts):
        got = loss_weights(LABELS, NAMES, "single", classes, given)
        assert got is None if classes is None and given is None else got.mean() == pytest.approx(1)


def test_weights_of_texts_and_classes_are_multiplied() -> None:
    texts = np.arange(1.0, 21.0)
    got = loss_weights(LABELS, NAMES, "single", {"b": 3.0}, texts)
    wanted = texts * np.where(LABELS == 1, 3.0, 1.0)
    assert got == pytest.approx(wanted / wanted.mean())


def test_balanced_sets_weigh_both_sides_of_a_class_alike() -> None:
    got = loss_weights(SETS, ["x", "y"], "multi", "balanced")
    for c in range(2):
        assert got[SETS[:, c], c].sum() == pytest.approx(got[~SETS[:, c], c].sum())
    assert got.mean() == pytest.approx(1)


def test_a_given_weight_of_sets_is_that_of_the_texts_that_have_the_class() -> None:
    got = loss_weights(SETS, ["x", "y"], "multi", {"y": 5.0})
    assert (got / got[0, 0])[SETS[:, 1], 1].tolist() == pytest.approx([5.0])
    assert len(np.unique(got)) == 2


@pytest.mark.parametrize(
    ("classes", "texts", "kind", "message"),
    [
        ({"d": 1.0}, None, "single", "no label is called 'd'; 'a', 'b', 'c'"),
        ({"a": 0.0}, None, "single", "'a' has 0.0; a number above 0"),
        ({"a": np.inf}, None, "single", "'a' has inf"),
        ("even", None, "single", "'even': 'balanced' is meant"),
        ("balanced", None, "real", "has no classes"),
        (None, np.ones(3), "single", r"\(3,\) weights for 20 texts"),
        (None, np.full(20, -1.0), "single", "0 or more"),
        (None, np.full(20, np.nan), "single", "finite"),
        (None, np.zeros(20), "single", "weight 0"),
    ],
)
def test_what_is_no_weight_is_named(classes, texts, kind, message) -> None:
    with pytest.raises(InputError, match=message):
        loss_weights(LABELS, NAMES, kind, classes, texts)
