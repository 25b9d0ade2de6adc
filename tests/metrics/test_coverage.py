"""The curve of answers given against answers that are right."""

import numpy as np
import pytest

from ulmfit import metrics
from ulmfit.errors import InputError


def test_each_point_is_what_its_own_threshold_gives() -> None:
    random = np.random.default_rng(0)
    sure = random.random(500)
    hits = random.random(500) < sure
    for point in metrics.coverage_curve(sure, hits):
        answered = sure >= point.confidence
        assert point.coverage == answered.mean() and point.n == answered.sum()
        assert point.accuracy == hits[answered].mean()
    curve = metrics.coverage_curve(sure, hits)
    assert curve[0].coverage == 1 and curve[0].accuracy == hits.mean()
    assert [p.coverage for p in curve] == sorted((p.coverage for p in curve), reverse=True)
    assert curve[-1].accuracy > curve[0].accuracy + 0.2, "the sure ones are right more often"


def test_texts_that_are_equally_sure_are_answered_together() -> None:
    curve = metrics.coverage_curve([0.9, 0.9, 0.9, 0.2], [1, 1, 0, 0], [1, 0.75, 0.5, 0.1])
    assert [(p.coverage, p.n) for p in curve] == [(1.0, 4), (0.75, 3)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.coverage_curve([0.5], [1, 0]), "predictions for 1"),
        (lambda: metrics.coverage_curve([0.5], [1], [0.0]), "above 0"),
        (lambda: metrics.coverage_curve([], []), "at least one"),
        (lambda: metrics.coverage_curve([np.nan], [1]), "finite"),
    ],
)
def test_wrong_input_is_named(call, message) -> None:
    with pytest.raises(InputError, match=message):
        call()
