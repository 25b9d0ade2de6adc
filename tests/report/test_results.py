"""The figures on the page against scikit-learn and against resampling."""

import re
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score, mean_absolute_error, precision_recall_fscore_support

from ulmfit.baseline import fit_baseline
from ulmfit.figures import compared
from ulmfit.report.answers import Answered, judged
from ulmfit.report.beside import beside, paired_interval
from ulmfit.report.examination import thresholds_of
from ulmfit.report.page import page
from ulmfit.report.parts import Part, key
from ulmfit.report.sections.trust import BINS, bins, said
from ulmfit.report.sections.verdict import verdict
from ulmfit.targets.decisions import choose_thresholds
from ulmfit.targets.encoding import Coding
from ulmfit.targets.kinds import Kind, Rows

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


def resampled(figure: Callable[[Answered, Rows], float], *both: Answered) -> list[float]:
    """The 95% interval of the difference of a figure over resampled rows, drawn otherwise."""
    random = np.random.default_rng(7)
    n = len(both[0].labels)
    draws = [random.integers(n, size=n) for _ in range(2000)]
    gaps = [figure(both[0], rows) - figure(both[1], rows) for rows in draws]
    return list(np.quantile(gaps, [0.025, 0.975]))


def test_micro_f1_beside_the_baseline() -> None:
    part = part_of("test", "multi", NAMES, 400, 1)
    model, baseline = judged(part, given(part, 2.2, 0)), judged(part, given(part, 1.0, 5))
    found = beside(model, baseline)

    def figure(a: Answered, rows: Rows) -> float:
        return float(f1_score(a.labels[rows], a.answers[rows], average="micro"))

    every = np.arange(400)
    assert found.metric == "micro_f1" and found.rows == 400
    assert found.model == pytest.approx(figure(model, every))
    assert found.gap == pytest.approx(figure(model, every) - figure(baseline, every))
    assert found.gap_ci == pytest.approx(resampled(figure, model, baseline), abs=0.01)
    assert found.verdict == "ahead of" and beside(baseline, model).verdict == "behind"
    assert beside(model, model).verdict == "not told apart from"


def test_values_beside_the_baseline_less_distance_being_better() -> None:
    part = part_of("test", "real", [], 400, 1)
    near, far = judged(part, part.labels + 0.1), judged(part, part.labels[::-1].copy())

    def figure(a: Answered, rows: Rows) -> float:
        return float(mean_absolute_error(a.labels[rows], a.answers[rows]))

    found = beside(near, far)
    assert found.metric == "mae" and found.model == pytest.approx(0.1)
    assert found.gap_ci == pytest.approx(resampled(figure, near, far), abs=0.1)
    assert found.verdict == "ahead of" and beside(far, near).verdict == "behind"


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal", "real"])
def test_the_page_says_who_is_ahead(make: Make, kind: Kind) -> None:
    found = make(kind)
    assert found.beside is not None
    told = re.sub(r"<[^>]+>", " ", page(found))
    assert f"The model is {found.beside.verdict} TF-IDF with" in told
    assert "TF-IDF beside it" in told and "without the model" not in told
    found.weighted = True
    assert "counts all rows alike, without the model" in re.sub(r"<[^>]+>", " ", page(found))


def rare_label(rows: int, seed: int) -> Part:
    """Texts of which one in twenty has the word "flood" and, nine times in ten, the rare label."""
    random = np.random.default_rng(seed)
    words = ["the", "plot", "was", "thin", "and", "cast", "strong", "while", "music", "slow"]
    flooded = random.random(rows) < 0.05
    texts = [" ".join([*random.choice(words, 8), *["flood"] * int(f)]) for f in flooded]
    sets = np.stack([random.random(rows) < 0.5, flooded & (random.random(rows) < 0.9)], 1)
    targets = [tuple(np.flatnonzero(each).tolist()) for each in sets]
    keys, places = [key(text) for text in texts], [str(row) for row in range(rows)]
    coding = Coding("multi", ["a", "b"])
    return Part("labelled", coding, targets, keys, np.arange(rows), texts, places)


def test_the_baseline_chooses_the_threshold_of_a_rare_label_as_a_model_does() -> None:
    """Cut at one half, a linear model of few rows hardly ever gives a rare label."""
    learned, unseen = rare_label(600, 0), rare_label(1000, 1)
    baseline = fit_baseline(learned.texts, learned.labels, 2, "multi")
    chosen = thresholds_of(baseline, learned)
    given = baseline.answers(unseen.texts)
    fair, even = judged(unseen, given, chosen), judged(unseen, given)
    assert chosen == choose_thresholds(baseline.out_of_fold, learned.labels[baseline.folded])
    rare = [f1_score(a.labels[:, 1], a.answers[:, 1], zero_division=0) for a in (fair, even)]
    assert rare[0] > rare[1] + 0.1


@pytest.mark.parametrize("kind", ["multi", "real"])
@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_few_rows_of_chance_are_rarely_a_verdict(kind: Kind, rows: int) -> None:
    """Two models that are equally good are told apart in 5% of cases at most, but for luck."""
    apart, tries = 0, 200
    for seed in range(tries):
        part = part_of("test", kind, NAMES if kind == "multi" else [], rows, seed)
        a, b = (judged(part, given(part, 2.0, 1000 * i + seed)) for i in (1, 2))
        apart += beside(a, b).verdict != "not told apart from"
    assert apart <= 0.1 * tries


def test_validation_rows_are_named_as_kind_to_the_model() -> None:
    for name in ("test", "validation"):
        part = part_of(name, "single", NAMES, 100, 1)
        found = beside(judged(part, given(part, 2.2, 0)), judged(part, given(part, 1.0, 5)))
        for told in (compared(asdict(found)), verdict(found)):
            assert f"100 {name} rows" in told and "model is ahead of TF-IDF" in told
            assert ("kind to it" in told) == (name == "validation")


def test_no_gap_has_no_sign() -> None:
    part = part_of("test", "single", NAMES, 100, 1)
    same = judged(part, given(part, 2.0, 0))
    assert "(+0.0 points, 95%: -" in compared(asdict(beside(same, same)))
