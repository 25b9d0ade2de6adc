"""Uncertainty is 0 where a model is certain, and 1 where it could as well toss a coin."""

import numpy as np
import pytest

from ulmfit.manifest import TargetConfig
from ulmfit.suggestions.uncertainty import reason, uncertainty

SINGLE, ORDINAL = TargetConfig(), TargetConfig(kind="ordinal")
MULTI = TargetConfig(kind="multi", thresholds=(0.5, 0.2, 0.9))


@pytest.mark.parametrize("target", [SINGLE, ORDINAL])
@pytest.mark.parametrize(
    ("probabilities", "wanted"),
    [((1, 0, 0), 0.0), ((0.5, 0.5, 0), 1.0), ((0.6, 0.1, 0.3), 0.7), ((1 / 3,) * 3, 1.0)],
)
def test_by_margin(target, probabilities, wanted):
    assert uncertainty(np.array(probabilities), target) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("probabilities", "wanted"),
    [((0, 0, 1), 0.0), ((0.5, 0, 0), 1.0), ((0, 0.2, 0), 1.0), ((0, 0.1, 0), 0.5),
     ((0, 0.6, 0), 0.5), ((0, 0, 0.45), 0.5)],
)  # fmt: skip
def test_by_the_nearest_threshold(probabilities, wanted):
    assert uncertainty(np.array(probabilities), MULTI) == pytest.approx(wanted)


def test_a_reason():
    probabilities = np.array([0.39, 0.2, 0.41])
    assert reason(probabilities, ["a", "b", "c"], SINGLE) == "c 0.41 or a 0.39"
    assert reason(np.array([0.9, 0.21, 0.1]), ["a", "b", "c"], MULTI) == "b 0.21 or not"
