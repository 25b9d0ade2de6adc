"""The y of `fit`: every form of it, its classes in their own type, and what is refused."""

import warnings
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from ulmfit.errors import InputError
from ulmfit.estimator.classes import Classes
from ulmfit.estimator.targets import read_classes, read_values

ONE_A_TEXT = [
    (["b", "a", "b"], ["a", "b"], ["a", "b"], [1, 0, 1]),
    ([10, 9, 10], [9, 10], ["9", "10"], [1, 0, 1]),
    ([True, False, True], [False, True], ["false", "true"], [1, 0, 1]),
    ([2.0, -1.0, 2.0], [-1.0, 2.0], ["-1", "2"], [1, 0, 1]),
    (np.array(["b", "a", "b"], object), ["a", "b"], ["a", "b"], [1, 0, 1]),
    (np.array([1, 0, 1], np.uint8), [0, 1], ["0", "1"], [1, 0, 1]),
]


@pytest.mark.parametrize(("y", "values", "names", "numbers"), ONE_A_TEXT)
def test_one_label_a_text(y: Any, values: list[Any], names: list[str], numbers: list[int]) -> None:
    classes, read = read_classes(y, 3)
    assert (classes.kind, classes.form) == ("single", "array")
    assert classes.values.tolist() == values and classes.names == names
    assert read.tolist() == numbers and read.dtype == np.int64
    answers = classes.answers(read)
    assert answers.tolist() == list(y) and answers.dtype == np.unique(y).dtype


def test_series_of_labels() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for y in (
        pandas.Series(["b", "a", "b"], index=[2, 2, 0]),
        pandas.Series(["b", "a", "b"], dtype="string"),
        pandas.Series(["b", "a", "b"], dtype="category"),
        polars.Series(["b", "a", "b"]),
    ):
        classes, numbers = read_classes(y, 3)
        assert classes.values.tolist() == ["a", "b"] and numbers.tolist() == [1, 0, 1]
    classes, numbers = read_classes(polars.Series([5, 3, 5]), 3)
    assert classes.values.tolist() == [3, 5] and classes.values.dtype == np.int64


def test_a_series_with_a_type_of_its_own_keeps_it() -> None:
    pandas = pytest.importorskip("pandas")
    for dtype, kind in (("Int64", "i"), ("boolean", "b"), ("UInt8", "u")):
        classes, numbers = read_classes(pandas.Series([1, 0, 1], dtype=dtype), 3)
        assert classes.values.tolist() == [0, 1] and numbers.tolist() == [1, 0, 1]
        assert classes.values.dtype.kind == kind


def test_a_series_with_gaps_is_refused() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for y in (
        pandas.Series(["a", pandas.NA, "b"]),
        pandas.Series(["a", pandas.NA, "b"], dtype="string"),
        pandas.Series(["a", None, "b"], dtype="category"),
        pandas.Series([1, pandas.NA, 2], dtype="Int64"),
        pandas.Series([pandas.Timestamp(0), pandas.NaT, pandas.Timestamp(1)], dtype=object),
        polars.Series(["a", None, "b"]),
    ):
        with pytest.raises(InputError, match=r"y\[1\]: no label"):
            read_classes(y, 3)
    with pytest.raises(InputError, match=r"several types \(y\[1\] is 1\)"):
        read_classes(pandas.Series(["a", 1, "b"]), 3)


MATRIX = [[True, False, True], [False, False, False]]


@pytest.mark.parametrize(
    "y",
    [
        np.array(MATRIX),
        np.array(MATRIX, np.int32),
        np.array(MATRIX, float),
        csr_matrix(np.array(MATRIX, int)),
        [[1, 0, 1], [0, 0, 0]],
    ],
    ids=["bool", "int", "float", "sparse", "lists"],
)
def test_a_matrix_is_multi_label(y: Any) -> None:
    classes, numbers = read_classes(y, 2)
    assert (classes.kind, classes.form) == ("multi", "indicator")
    assert classes.values.tolist() == [0, 1, 2] and classes.names == ["0", "1", "2"]
    assert numbers.tolist() == MATRIX and numbers.dtype == np.bool_
    assert classes.answers(numbers).tolist() == np.array(MATRIX, int).tolist()


def test_a_data_frame_names_the_columns() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for table in (pandas.DataFrame, polars.DataFrame):
        classes, numbers = read_classes(table({"sport": [1, 0], "art": [1, 1]}), 2)
        assert classes.values.tolist() == ["sport", "art"]
        assert numbers.tolist() == [[True, True], [False, True]]
    with pytest.raises(InputError, match="labels of type tuple"):
        read_classes(pandas.DataFrame([[1, 0], [0, 1]], columns=[("a", "x"), ("a", "y")]), 2)


@pytest.mark.parametrize(
    "y",
    [
        [["b", "a"], [], ["c"]],
        [("b", "a"), (), ("c",)],
        [{"a", "b"}, set(), {"c"}],
        np.array([["b", "a"], [], ["c"]], object),
        [["b", "a", "b"], [], ["c"]],
    ],
    ids=["lists", "tuples", "sets", "objects", "twice"],
)
def test_the_labels_of_each_text_are_multi_label(y: Any) -> None:
    classes, numbers = read_classes(y, 3)
    assert (classes.kind, classes.form) == ("multi", "lists")
    assert classes.values.tolist() == ["a", "b", "c"]
    assert classes.answers(numbers) == [["a", "b"], [], ["c"]]


def test_numbers_may_be_labels_in_lists() -> None:
    classes, numbers = read_classes([[7, 5], [5], []], 3)
    assert classes.values.tolist() == [5, 7] and classes.answers(numbers) == [[5, 7], [5], []]


def test_series_of_lists() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    y = [["b", "a"], [], ["c"]]
    for series in (pandas.Series(y), polars.Series(y)):
        classes, numbers = read_classes(series, 3)
        assert classes.form == "lists" and classes.answers(numbers) == [["a", "b"], [], ["c"]]


def test_ordinal_labels_have_an_order() -> None:
    y = ["low", "high", "middle", "low"]
    classes, numbers = read_classes(y, 4, "ordinal", ["low", "middle", "high"])
    assert classes.names == ["low", "middle", "high"] and numbers.tolist() == [0, 2, 1, 0]
    assert classes.answers(numbers).tolist() == y
    classes, numbers = read_classes([10, 9, 10, 2], 4, "ordinal")
    assert classes.values.tolist() == [2, 9, 10] and numbers.tolist() == [2, 1, 2, 0]


def test_without_an_order_numbers_are_sorted_and_words_refused() -> None:
    """As `ulmfit train` does: in the alphabet 10 stands before 2, and high before low."""
    classes, numbers = read_classes(["10", "9", "10", "2"], 4, "ordinal")
    assert classes.values.tolist() == ["2", "9", "10"] and numbers.tolist() == [2, 1, 2, 0]
    with pytest.raises(InputError, match=r"order: .*'high', 'low' are not all numbers"):
        read_classes(["high", "low", "low"], 3, "ordinal")


def test_ordered_categories_bring_their_order() -> None:
    pandas = pytest.importorskip("pandas")
    kind = pandas.CategoricalDtype(["never seen", "low", "middle", "high"], ordered=True)
    y = pandas.Series(["high", "low", "middle", "low"], dtype=kind)
    classes, numbers = read_classes(y, 4, "ordinal")
    assert classes.values.tolist() == ["low", "middle", "high"] and numbers.tolist() == [2, 0, 1, 0]
    classes, _ = read_classes(y, 4, "ordinal", ["high", "middle", "low"])
    assert classes.values.tolist() == ["high", "middle", "low"], "what is said counts"
    assert read_classes(y, 4)[0].values.tolist() == ["high", "low", "middle"]


@pytest.mark.parametrize("chunked", [False, True])
def test_labels_may_be_arrow_arrays(chunked: bool) -> None:
    def arrow(values: list[Any]) -> Any:
        return pa.chunked_array([values[:2], values[2:]]) if chunked else pa.array(values)

    classes, numbers = read_classes(arrow(["a", "b", "a"]), 3)
    assert classes.names == ["a", "b"] and numbers.tolist() == [0, 1, 0]
    classes, numbers = read_classes(arrow([["b", "a"], [], ["c"]]), 3)
    assert classes.answers(numbers) == [["a", "b"], [], ["c"]]
    assert read_values(arrow([1.0, 2.0, 3.5, 4.0]), 4).tolist() == [1, 2, 3.5, 4]


@pytest.mark.parametrize("library", ["range", "numpy", "pandas", "index", "polars"])
def test_an_order_may_be_held_in_anything(library: str) -> None:
    order: Any = range(1, 4)
    if library == "numpy":
        order = np.array(order, np.uint8)
    elif library in ("pandas", "polars"):
        order = pytest.importorskip(library).Series(list(order))
    elif library == "index":
        order = pytest.importorskip("pandas").Index(order)
    classes, numbers = read_classes([3, 1, 2, 1], 4, "ordinal", order)
    assert classes.values.tolist() == [1, 2, 3] and numbers.tolist() == [2, 0, 1, 0]
    assert classes.values.dtype == (np.uint8 if library == "numpy" else np.int64)


def test_an_order_of_words_may_be_a_column_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    for order in (pandas.Index(["low", "high"]), pandas.Series(["low", "high"])):
        classes, _ = read_classes(["high", "low", "low"], 3, "ordinal", order)
        assert classes.values.tolist() == ["low", "high"] and classes.values.dtype.kind == "U"


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (None, {}, "y to be passed"),
    (["a", "b"], {}, "3 texts, but y has 2 rows"),
    ([[1, 0], [0, 1]], {}, "3 texts, but y has 2 rows"),
    (["a", "a", "a"], {}, r"1 class only \('a'\)"),
    (["a", None, "b"], {}, r"y\[1\]: no label \(None\); .*`unlabelled`"),
    (["a", float("nan"), "b"], {}, r"y\[1\]: no label \(nan\)"),
    (np.array(["a", "b", float("nan")], object), {}, r"y\[2\]: no label"),
    ([1.0, float("nan"), 2.0], {}, r"y\[1\]: no label"),
    (np.array([1.0, float("nan"), 2.0]), {}, r"y\[1\]: no label \(nan\)"),
    (["a", 1, "b"], {}, r"several types \(y\[1\] is 1\)"),
    ([1, "a", 2], {}, r"several types \(y\[1\] is 'a'\)"),
    ([0.5, 1.5, 0.25], {}, "continuous"),
    ([1, 10**25, 1], {}, r"y\[1\]: 1000\d+ is beyond 64 bits; make the labels strings"),
    (["a", "\ud800", "b"], {}, "half a character"),
    (np.array(["2020-01-01", "2021-01-01", "2020-01-01"], "datetime64[D]"), {}, "datetime64"),
    ([["a"], "b", ["c"]], {}, r"y\[1\]: a list of labels is wanted"),
    ([["a", 1], ["b"], []], {}, "several types"),
    ([[], [], []], {}, "no class"),
    (np.array([[0, 2], [1, 1], [0, 0]]), {}, "0 and 1 only"),
    (["a", "b", "a"], {"task": "multi"}, "form of a single-label target"),
    ([["a"], ["b"], []], {"task": "single"}, "form of a multi-label target"),
    (["a", "b", "a"], {"task": "real"}, "choose one of single, multi, ordinal"),
    (["a", "b", "a"], {"order": ["a", "b"]}, "task='ordinal'"),
    (["a", "b", "c"], {"task": "ordinal", "order": ["a", "b"]}, "'c' is none of the classes"),
    (["a", "b", "a"], {"task": "ordinal", "order": ["a", "b", "a"]}, "'a' stands for two"),
    (["a", "b", "a"], {"task": "ordinal", "order": "ab"}, "order: a list of the labels.* not str"),
    (["a", "b", "a"], {"task": "ordinal", "order": {"a", "b"}}, "order: a list.* not set"),
    (["a", "b", "a"], {"task": "ordinal", "order": [["a"], ["b"]]}, "order: a list of the labels"),
    ([1, 2, 1], {"task": "ordinal", "order": [Decimal(1), Decimal(2)]}, "labels of type Decimal"),
    ([[date(2020, 1, 1)], [date(2021, 1, 1)], []], {}, "labels of type date"),
]


@pytest.mark.parametrize(("y", "how", "told"), REFUSED)
def test_what_is_no_target_is_told(y: Any, how: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_classes(y, 3, **how)


def test_two_names_that_files_cannot_tell_apart_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame([[1, 0], [0, 1]], columns=["a", "a"])
    with pytest.raises(InputError, match="'a' stands for two classes"):
        read_classes(table, 2)


def test_a_column_is_taken_with_scikit_learns_warning() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        classes, numbers = read_classes(np.array([["a"], ["b"], ["a"]]), 3)
    assert classes.names == ["a", "b"] and numbers.tolist() == [0, 1, 0]
    assert [w.category.__name__ for w in told] == ["DataConversionWarning"]


@pytest.mark.parametrize("form", ["array", "indicator", "lists"])
def test_an_unknown_label_is_told(form: Any) -> None:
    classes = Classes(np.array(["a", "b"]), "single" if form == "array" else "multi", form)
    wrong = {"array": np.array(["a", "z"]), "indicator": [[0, 3]], "lists": [["a"], ["z"]]}
    with pytest.raises(InputError, match=r"'z' is none|0 and 1 only"):
        classes.numbers(wrong[form])
