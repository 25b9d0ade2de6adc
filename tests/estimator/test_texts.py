"""What a caller may hold texts in, and what is told of everything else."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ulmfit.errors import InputError
from ulmfit.estimator.texts import text_list

TEXTS = ["a good film", "", "ein Film: \N{SNOWMAN} \ud800"]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        iter(TEXTS),
        np.array(TEXTS, object),
        np.array(TEXTS),
    ],
    ids=["list", "tuple", "iterator", "objects", "strings"],
)
def test_texts_stay_as_they_are_and_in_order(texts: Any) -> None:
    read = text_list(texts)
    assert read == TEXTS
    assert {type(text) for text in read} == {str}


@pytest.mark.parametrize("dtype", ["str", "object", "string", "category"])
def test_a_pandas_series(dtype: str) -> None:
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(["b", "a", "b"], index=[7, 5, 7], dtype=dtype)
    assert text_list(series) == ["b", "a", "b"]


def test_a_polars_series() -> None:
    polars = pytest.importorskip("polars")
    assert text_list(polars.Series("text", ["b", "a"])) == ["b", "a"]


def test_arrow() -> None:
    assert text_list(pa.chunked_array([["b"], ["a"]])) == ["b", "a"]


def test_a_column_of_a_hugging_face_dataset() -> None:
    datasets = pytest.importorskip("datasets")
    assert text_list(datasets.Dataset.from_dict({"text": ["b", "a"]})["text"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ("a good film", "not one string"),
        (b"a good film", "not bytes"),
        (None, "not NoneType"),
        (7, "not int"),
        ({"text": "a good film"}, "not dict"),
        ({"a good film"}, "not set"),
        (np.array("a good film"), r"table of shape \(\)"),
        (np.array([["a"], ["b"]]), r"table of shape \(2, 1\)"),
        (["a", None], r"texts\[1\]: a string is wanted, not NoneType"),
        (["a", float("nan")], r"texts\[1\].* float \(nan\)"),
        (["a", b"b"], r"texts\[1\].* bytes"),
        ([["a"]], r"texts\[0\].* list"),
        (np.arange(3), r"texts\[0\]"),
        (pa.array(["a", None]), r"texts\[1\].* NoneType"),
    ],
)
def test_what_is_no_list_of_texts_is_told_with_its_place(texts: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        text_list(texts)


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(InputError) as told:
        text_list([["x" * 10_000]], "unlabelled")
    assert len(str(told.value)) < 200 and str(told.value).startswith("unlabelled[0]")


def test_missing_values_and_tables_of_pandas_and_polars() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for series in (
        pandas.Series(["a", None]),
        pandas.Series(["a", None], dtype="string"),
        polars.Series(["a", None]),
    ):
        with pytest.raises(InputError, match=r"texts\[1\]"):
            text_list(series)
    for table in (pandas.DataFrame({"text": ["a"]}), polars.DataFrame({"text": ["a"]})):
        with pytest.raises(InputError, match="one column"):
            text_list(table)
