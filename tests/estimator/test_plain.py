"""Parameters of every make -> what JSON has."""

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ulmfit.estimator.plain import in_json, listed, lm_name, plain

SAME: list[tuple[Any, Any]] = [
    (None, None),
    ("low", "low"),
    (np.str_("low"), "low"),
    (np.float32(0.5), 0.5),
    (np.bool_(True), True),
    (range(3), [0, 1, 2]),
    (deque("ab"), ["a", "b"]),
    (np.array([[1, 2]], np.uint8), [[1, 2]]),
    (np.array(7), 7),
    (np.array([np.int64(1), "a"], object), [1, "a"]),
    ((np.int64(1), range(1)), (1, [0])),
    ({"a": {"b": np.int64(1)}}, {"a": {"b": 1}}),
    (Path("a") / "b", "a/b"),
    (np.random.RandomState(0), None),
    (np.random, None),
]


@pytest.mark.parametrize(("given", "wanted"), SAME)
def test_what_becomes_plain(given: Any, wanted: Any) -> None:
    found = plain(given)
    assert found == wanted and type(found) is type(wanted) and in_json(found)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_series_become_lists(library: str) -> None:
    module = pytest.importorskip(library)
    make = module.array if library == "pyarrow" else module.Series
    for values in ([3, 1], ["b", "a"]):
        assert plain(make(values)) == values == listed(make(values))


@pytest.mark.parametrize(
    "value", [{1}, b"bytes", object(), Fraction(1, 2), float("nan"), [1j], "\ud800", {(1, 2): 3}]
)
def test_what_json_lacks(value: Any) -> None:
    assert not in_json(plain(value))


@pytest.mark.parametrize("value", ["ab", b"ab", 7, None, {1: 2}, {1}, np.float64(1), np.array(1)])
def test_what_is_no_list(value: Any) -> None:
    assert listed(value) is None


def test_a_language_model_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lm_name(tmp_path / "lm") == lm_name("lm") == lm_name("./lm/") == "lm"
    assert lm_name(".") == tmp_path.name
    assert lm_name("hf://user/lm@main") == "hf://user/lm@main"
