"""The figures on the page against scikit-learn and against resampling."""

import re

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_fscore_support

from ulmfit.report.answers import judged
from ulmfit.report.page import page
from ulmfit.report.sections.results import paired_interval
from ulmfit.report.sections.trust import BINS, bins, said

from .conftest import NAMES, Make, given, part_of


def test_the_table_of_labels_tells_what_scikit_learn_tells(make: Make) -> None:
    found = make(rows=300)
    assert found.measured is not None
    rows = re.findall(r'<tr><th scope="row"><bdi>(\w+)</bdi></th>(.*?)</tr>', page(found))
    wanted = precision_recall_fscore_support(
        found.measured.labels, found.measured.answers, zero_division=0
    )
    assert [name for name, _ in rows[:6]] == list(NAMES)
    for (_, cells), precision, recall, f1, support in zip(rows[:6], *wanted, strict=True):
        shares = re.findall(r'class="main">([\d.]+)%', cells)
        assert shares == [f"{100 * precision:.1f}", f"{100 * recall:.1f}"]
        assert f'<td class="figure">{support}</td>' in cells
        assert cells.endswith(f'<td class="figure">{100 * f1:.1f}%</td>')


def test_the_bins_are_those_of_scikit_learn(make: Make) -> None:
    found = make(rows=400)
    assert found.measured is not None
    sure, right = said(found.measured)
    mine = bins(sure, right)
    share, mean = calibration_curve(right, sure, n_bins=BINS)
    assert [b.right for b in mine] == pytest.approx(list(share))
    assert [b.sure for b in mine] == pytest.approx(list(mean))
    assert sum(b.n for b in mine) == len(sure)


def test_the_interval_of_a_difference_is_that_of_resampling() -> None:
    part = part_of("test", "single", NAMES, 600, 1)
    model, baseline = judged(part, given(part, 2.2, 0)), judged(part, given(part, 1.8, 5))
    random = np.random.default_rng(0)
    gap = model.right.astype(float) - baseline.right
    means = gap[random.integers(600, size=(4000, 600))].mean(1)
    assert paired_interval(model, baseline) == pytest.approx(
        tuple(np.quantile(means, [0.025, 0.975])), abs=0.006
    )


def test_the_same_answers_are_not_told_apart() -> None:
    part = part_of("test", "single", NAMES, 100, 1)
    model = judged(part, given(part, 2.0, 0))
    low, high = paired_interval(model, model)
    assert low < 0 < high and high < 0.02


def test_the_figures_lead_with_those_of_the_whole_test_set(make: Make) -> None:
    found = make(rows=50)
    assert found.figures is not None
    found.figures = {**found.figures, "accuracy": 0.987, "accuracy_ci": [0.97, 0.99], "n": 25_000}
    told = re.sub(r"<[^>]+>", " ", page(found))
    assert "98.7%" in told and "25,000 test rows" in told
