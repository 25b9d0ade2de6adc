"""Labels of every form become the arrays that are promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder, MultiLabelBinarizer

from ulmfit.errors import InputError
from ulmfit.targets.checks import check_labels
from ulmfit.targets.encoding import Coding, encode, guess
from ulmfit.targets.kinds import Kind, outputs

WORDS = st.text(min_size=1, max_size=5)


@given(st.lists(WORDS, min_size=1))
def test_single_labels_are_numbered_as_scikit_learn_does(values: list[str]) -> None:
    got = encode(values)
    assert got.kind == "single"
    assert [got.names[i] for i in got.labels] == values
    if all("\0" not in v for v in values):  # numpy's strings end at one
        assert got.labels.tolist() == LabelEncoder().fit_transform(values).tolist()


@given(st.lists(st.lists(WORDS), min_size=1))
def test_sets_of_labels_are_binarised_as_scikit_learn_does(values: list[list[str]]) -> None:
    got, reference = encode(values), MultiLabelBinarizer()
    wanted = reference.fit_transform(values)
    assert got.kind == "multi" and got.names == sorted({w for v in values for w in v})
    assert got.labels.dtype == bool and (got.labels == wanted).all()


def test_a_label_that_no_text_has_is_there_if_it_was_named() -> None:
    got = encode([["a"], []], "multi", named=("late", "a"))
    assert got.names == ["a", "late"] and got.labels.tolist() == [[True, False], [False, False]]


def test_the_kind_is_guessed_from_the_form() -> None:
    assert guess(["a", "b"]) == guess(["1", "2"]) == guess([1.0, 2.5]) == "single"
    assert guess(["a", ["b"]]) == guess([("a",)]) == guess([set()]) == "multi"


def test_ordinal_labels_stand_in_their_order() -> None:
    got = encode(["10", "9", "-1", "9"], "ordinal")
    assert got.names == ["-1", "9", "10"] and got.labels.tolist() == [2, 1, 0, 1]
    got = encode(["mid", "low"], "ordinal", ["low", "mid", "high"])
    assert got.names == ["low", "mid", "high"] and got.labels.tolist() == [1, 0]


def test_real_values_are_read_from_numbers_and_their_strings() -> None:
    got = encode(["1.5", 2, "-3e2"], "real")
    assert got.names == [] and got.labels.tolist() == [1.5, 2.0, -300.0]


def test_a_coding_takes_a_label_alone_for_a_set_of_one() -> None:
    coding = Coding("multi", ["a", "b"])
    assert coding.array([coding.of("b"), coding.of(["b", "a", "a"]), coding.of([])]).tolist() == [
        [False, True],
        [True, True],
        [False, False],
    ]


@pytest.mark.parametrize(("kind", "count"), [("single", 5), ("multi", 5), ("ordinal", 4)])
def test_outputs_of_a_model(kind, count) -> None:
    assert outputs(kind, 5) == count
    assert outputs("real", 0) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encode(["a", ["b"]], "single"), "a list of labels .*where the task is multi"),
        (lambda: encode(["a", "1"], "ordinal"), "'1', 'a' are not all numbers.*--order"),
        (lambda: encode(["a"], "ordinal", ["b", "c"]), "'a' is not in the order b, c"),
        (lambda: encode(["a"], "ordinal", ["a", "a"]), "twice"),
        (lambda: encode(["a"], "single", ["a"]), "order of labels belongs to an ordinal"),
        (lambda: encode(["1", "x"], "real"), "'x' is not a finite number"),
        (lambda: encode(["nan"], "real"), "not a finite number"),
        (lambda: encode([["1"]], "real"), "not a finite number"),
        (lambda: Coding("single", ["a"]).of("b"), "'b' is none of the model's: 'a'"),
    ],
)
def test_what_does_not_suit_the_kind_is_named(call, message) -> None:
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (["1.5", "2.5", "2.5"], "single", "'1.5' has 1 row.*--task real"),
        ([["a"], ["a"], ["b"], []], "multi", "'b' has 1 row"),
        ([[], [], [], []], "multi", "no row has any label"),
        ([["a"]] * 4, "multi", "all rows have the only label, 'a'"),
        ([["a"], ["a"], []], "multi", "3 labelled rows; 4"),
        ([1.0, 2.0, 3.0], "real", "3 labelled rows"),
        ([2.0] * 5, "real", "all 5 rows have the value 2"),
        ([1.0, -3e300, 2.0, 3.0], "real", r"the values reach -3e\+300: too large"),
        (["1"] * 4, "ordinal", "one label only"),
    ],
)
def test_what_cannot_be_learned_is_told(values, kind, message) -> None:
    coded = encode(values, kind)
    with pytest.raises(InputError, match=message):
        check_labels(coded.labels, coded.names, coded.kind)


def test_what_can_be_learned_passes() -> None:
    for values, kind in [
        (["a", "b", "a", "b"], "single"),
        ([["a"], ["a"], [], []], "multi"),
        ([1.0, 1.0, 1.0, 2.0], "real"),
        (["1", "1", "2", "2"], "ordinal"),
    ]:
        coded = encode(values, kind)
        check_labels(np.array(coded.labels), coded.names, coded.kind)


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
def test_one_number_written_in_two_ways_is_refused(kind: Kind) -> None:
    """As pandas does to a column of whole numbers where a cell is empty."""
    labels = np.eye(3, dtype=np.int64)[[0, 1, 2] * 4] if kind == "multi" else np.arange(12) % 3
    check_labels(labels, ["1", "1.5", "2.0"], kind)
    with pytest.raises(InputError, match=r"'1' and '1\.0' are both labels"):
        check_labels(labels, ["0", "1", "1.0"], kind)
