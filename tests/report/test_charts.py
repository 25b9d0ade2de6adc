"""Charts: values stand where they belong, ticks are round, labels keep apart."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.report.charts.frame import breadth, fitting, spread
from ulmfit.report.charts.heat import heat
from ulmfit.report.charts.histogram import Sizes, histogram
from ulmfit.report.charts.lines import Line, lines
from ulmfit.report.charts.reliability import Bin, reliability
from ulmfit.report.charts.scale import Scale
from ulmfit.report.charts.scatter import MOST, scatter
from ulmfit.report.charts.whiskers import Estimate, whiskers
from ulmfit.report.markup import Markup

VALUES = st.floats(-1e6, 1e6)


def parsed(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(chart.source)


def drawn(chart: Markup, tag: str, style: str) -> list[ElementTree.Element]:
    return [e for e in parsed(chart).iter(tag) if style in e.get("class", "").split()]


@given(VALUES, VALUES, st.integers(2, 9))
def test_ticks_are_few_within_and_evenly_apart(a: float, b: float, most: int) -> None:
    low, high = min(a, b), max(a, b)
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        return
    scale = Scale(low, high, 0, 100)
    ticks = scale.ticks(most)
    assert len(ticks) <= most
    assert all(low - 1e-6 * (high - low) <= t <= high + 1e-6 * (high - low) for t in ticks)
    gaps = np.diff(ticks)
    assert np.allclose(gaps, gaps[:1]) if len(gaps) else True


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 5, [0, 1, 2, 3, 4, 5]), (93, 214, [100, 150, 200])],
)
def test_ticks_are_round(low: float, high: float, wanted: list[float]) -> None:
    assert Scale(low, high, 0, 1).ticks(6) == wanted


@given(st.floats(1e-8, 1e3), st.floats(1.5, 1e6))
def test_ticks_of_a_logarithmic_scale_are_few_and_within(low: float, factor: float) -> None:
    ticks = Scale(low, low * factor, 0, 1, log=True).ticks(6)
    assert len(ticks) <= 6
    assert all(low * 0.999 <= t <= low * factor * 1.001 for t in ticks)


def test_a_logarithmic_scale_spaces_equal_factors_equally() -> None:
    scale = Scale(1, 1000, 0, 300, log=True)
    assert [scale(v) for v in (1, 10, 100, 1000)] == pytest.approx([0, 100, 200, 300])


def test_an_empty_range_is_drawn_in_the_middle() -> None:
    assert Scale(3, 3, 0, 100)(3) == 50


def test_the_values_of_an_axis_have_the_same_decimals() -> None:
    scale = Scale(0.4, 1.6, 0, 1)
    assert [scale.plain()(v) for v in scale.ticks()] == ["0.5", "1.0", "1.5"]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_labels_keep_apart_and_in_order(places: list[float]) -> None:
    moved = spread(places, 10, 0, 100)
    order = np.argsort(places, kind="stable")
    gaps = np.diff(np.array(moved)[order])
    assert (gaps >= 10 - 1e-9).all()
    if len(places) * 10 <= 100:
        assert min(moved) >= -10 and max(moved) <= 100 + 1e-9


def test_a_name_is_cut_to_its_room() -> None:
    assert fitting("short", 100) == "short"
    cut = fitting("a very long name of a class", 60)
    assert cut.endswith("…") and breadth(cut) <= 60 + 6.1
    assert len(fitting("日本語の長い名前", 60)) < len(fitting("abcdefghijklm", 60))


def test_a_curve_stands_where_its_values_are_and_breaks_where_there_are_none() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 1.0), (4.0, 2.0)]
    chart = lines("k", "t", "d", [Line("x", points, "model")], "epochs")
    pieces = [e.get("points", "").split() for e in drawn(chart, "polyline", "model")]
    assert [len(piece) for piece in pieces] == [2, 2]
    (a, b), (c, d) = ([tuple(map(float, p.split(","))) for p in piece] for piece in pieces)
    assert a[1] == c[1] > b[1] == d[1]  # higher values stand higher
    assert b[0] - a[0] == pytest.approx(d[0] - c[0], abs=0.11)


def test_a_curve_on_a_logarithmic_axis_breaks_where_a_rate_is_zero() -> None:
    points = [(float(i), 0.0 if i < 3 else 0.01) for i in range(6)]
    chart = lines("k", "t", "d", [Line("x", points, "model")], "epochs", log=True)
    [piece] = drawn(chart, "polyline", "model")
    assert len(piece.get("points", "").split()) == 3


def test_nothing_at_all_is_drawn_without_failing() -> None:
    parsed(lines("k", "t", "d", [Line("x", [(0.0, math.nan)], "model")], "epochs", log=True))
    parsed(histogram("k", "t", "d", [Sizes(np.array([7.0]), "train")], "tokens", counts=True))
    parsed(histogram("k", "t", "d", [Sizes(np.array([7.0]), "train")], "value"))
    parsed(histogram("k", "t", "d", [Sizes(np.array([7.0]), "train")], "tokens", log=True))


@pytest.mark.parametrize("log", [False, True])
def test_a_histogram_counts_every_value_once(log: bool) -> None:
    values = np.random.default_rng(0).integers(1, 300, 400).astype(float)
    chart = histogram("k", "t", "d", [Sizes(values, "train")], "tokens", log=log, counts=True)
    [outline] = drawn(chart, "polyline", "train")
    points = [tuple(map(float, p.split(","))) for p in outline.get("points", "").split()]
    tallest = min(y for _, y in points)
    floor = max(y for _, y in points)
    steps = [y for _, y in points[1:-1:2]]
    assert points[0][1] == points[-1][1] == floor and tallest < floor
    share = sum(floor - y for y in steps) / (floor - tallest)  # in units of the tallest step
    counts = share * max(np.histogram(values, _edges(chart, points))[0])
    assert counts == pytest.approx(400, rel=0.03)


def _edges(chart: Markup, points: list[tuple[float, ...]]) -> np.ndarray:
    """The borders of the steps, read back from the axis."""
    ticks = [
        (float(e.get("x", "0")), float((e.text or "").replace(",", "")))
        for e in parsed(chart).iter("text")
        if e.get("text-anchor") == "middle" and re.fullmatch(r"[\d,]+", e.text or "")
    ]
    (x1, v1), (x2, v2) = ticks[0], ticks[-1]
    places = np.array([points[1][0], *(x for x, _ in points[2:-1:2])])
    if any(abs((x - x1) / (x2 - x1) * (v2 - v1) + v1 - v) > 1 for x, v in ticks):  # logarithmic
        return v1 * (v2 / v1) ** ((places - x1) / (x2 - x1))
    return v1 + (places - x1) / (x2 - x1) * (v2 - v1)


def test_the_map_tells_every_count_and_shades_by_the_share_of_the_row() -> None:
    counts = [[8, 2], [0, 5]]
    chart = heat("k", "t", "d", ["a", "b"], counts)
    squares = [*drawn(chart, "rect", "right"), *drawn(chart, "rect", "wrong")]
    told = {(e.findtext("title") or ""): float(e.get("fill-opacity", 0)) for e in squares}
    assert told["a taken for a: 8 of 10 (80.0%)"] == pytest.approx(0.8)
    assert told["a taken for b: 2 of 10 (20.0%)"] == pytest.approx(0.2)
    assert told["b taken for b: 5 of 5 (100.0%)"] == pytest.approx(1.0)
    assert sorted(e.text for e in parsed(chart).iter("text") if "count" in e.get("class", "")) == [
        "2",
        "5",
        "8",
    ]


def test_a_map_of_many_classes_names_none_of_them_on_it() -> None:
    chart = heat("k", "t", "d", [f"class {i}" for i in range(50)], np.eye(50, dtype=int).tolist())
    assert not [e for e in parsed(chart).iter("text") if (e.text or "").startswith("class")]
    assert len(drawn(chart, "rect", "right")) == 50


def test_whiskers_reach_from_end_to_end_of_the_interval() -> None:
    rows = [Estimate("x", 0.5, 0.25, 0.75, "model"), Estimate("y", 1.0, 0.0, 1.0, "quiet")]
    chart = whiskers("k", "t", "d", rows, "share")
    [mine] = drawn(chart, "line", "model")
    [whole] = drawn(chart, "line", "quiet")
    [dot] = drawn(chart, "circle", "model")
    begin, end = (float(whole.get(k, 0)) for k in ("x1", "x2"))
    place = [(float(mine.get(k, 0)) - begin) / (end - begin) for k in ("x1", "x2")]
    assert place == pytest.approx([0.25, 0.75])
    assert (float(dot.get("cx", 0)) - begin) / (end - begin) == pytest.approx(0.5)


def test_an_honest_bin_lies_on_the_diagonal() -> None:
    bins = [Bin(k / 10, (k + 1) / 10, 5, k / 10 + 0.05, k / 10 + 0.05, (0, 1)) for k in range(10)]
    chart = reliability("k", "t", "d", bins, "probability")
    [diagonal] = drawn(chart, "line", "diagonal")
    x1, y1, x2, y2 = (float(diagonal.get(k, 0)) for k in ("x1", "y1", "x2", "y2"))
    for dot in drawn(chart, "circle", "model"):
        x, y = float(dot.get("cx", 0)), float(dot.get("cy", 0))
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.01)


def test_a_cloud_of_points_is_thinned_evenly() -> None:
    values = np.linspace(0, 1, 3 * MOST)
    assert MOST / 2 <= len(drawn(scatter("k", "t", "d", values, values), "circle", "model")) <= MOST
