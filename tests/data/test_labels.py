"""Several labels a row, in whichever form they come; weights of rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ulmfit.data.sources import check_sources, read_rows
from ulmfit.errors import InputError

Put = Callable[[str, str | bytes], Path]
SETS = [("b", "a"), (), None, ("a",)]
"""what the rows of each file below hold"""


@pytest.fixture
def files(put: Put, tmp_path: Path) -> dict[str, tuple[Path, dict[str, object]]]:
    """The same four rows in every form, and how to ask for their labels."""
    rows = [{"text": f"t{i}", "label": s if s is None else list(s)} for i, s in enumerate(SETS)]
    marks = [{"text": f"t{i}", **marked(s)} for i, s in enumerate(SETS)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "lists.parquet")
    pq.write_table(pa.Table.from_pylist(marks), tmp_path / "marks.parquet")
    columns = {"label": ("b", "a")}
    return {
        "a list in JSONL": (put("lists.jsonl", lines(rows)), {}),
        "a list in Parquet": (tmp_path / "lists.parquet", {}),
        "joined in CSV": (
            put("joined.csv", "text,label\nt0, b |a| b\nt1,|\nt2,\nt3,a\n"),
            {"separator": "|"},
        ),
        "columns in JSONL": (put("marks.jsonl", lines(marks)), columns),
        "columns in Parquet": (tmp_path / "marks.parquet", columns),
        "columns in CSV": (put("m.csv", "text,a,b\nt0,1,1\nt1,0,0\nt2,,\nt3,1,0\n"), columns),
        "words in CSV": (
            put("w.csv", "text,a,b\nt0,TRUE,true\nt1,False,0\nt2,,\nt3,1,false\n"),
            columns,
        ),
    }


def marked(labels: tuple[str, ...] | None) -> dict[str, object]:
    return {name: None if labels is None else name in labels for name in ("a", "b")}


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_every_form_gives_the_same_sets(
    files: dict[str, tuple[Path, dict[str, object]]],
) -> None:
    for form, (path, how) in files.items():
        got = [(row.text, row.label) for row in read_rows([path], **how)]  # type: ignore[arg-type]
        assert got == [(f"t{i}", s) for i, s in enumerate(SETS)], form


def test_fasttext_may_have_several_labels_in_front(put: Put) -> None:
    path = put("t.txt", "__label__a one two\n__label__b\t__label__a  three __label__c\nnone\n")
    got = [(row.text, row.label) for row in read_rows([path])]
    assert got == [("one two", "a"), ("three __label__c", ("b", "a")), ("none", None)]


def test_items_of_a_list_are_the_strings_that_single_labels_would_be(put: Put) -> None:
    path = put("d.jsonl", '{"text": "x", "label": [1, 2.0, true, " a ", "a", ""]}\n')
    with pytest.raises(InputError, match="a list with '' in it"):
        list(read_rows([path]))
    path = put("d.jsonl", '{"text": "x", "label": [1, 2.0, true, " a ", "a"]}\n')
    assert [row.label for row in read_rows([path])] == [("1", "2", "true", "a")]


def test_one_name_in_a_list_is_one_column(put: Put) -> None:
    path = put("d.csv", "text,kind\nx,7\n")
    assert [row.label for row in read_rows([path], label=["kind"])] == ["7"]


@pytest.mark.parametrize(
    ("content", "how", "said"),
    [
        (
            "text,a,b\nx,1,maybe\n",
            {"label": ["a", "b"]},
            "line 2: column 'b' holds 'maybe'",
        ),
        ("text,a,b\nx,1,\n", {"label": ["a", "b"]}, "line 2: column 'b' holds nothing"),
        (
            "text,a,b\nx,1,2\n",
            {"label": ["a", "b"]},
            "of several label columns each says 0 or 1",
        ),
        ("text,a,b\nx,1,0\n", {"label": ["a", "c"]}, r"no column 'c' \(--label\)"),
        ("text,a,b\nx,1,0\n", {"label": ["a", "A"]}, "names a column twice"),
        (
            "text,label,w\nx,a,heavy\n",
            {"weight": "w"},
            "line 2: column 'w' holds 'heavy'",
        ),
        ("text,label,w\nx,a,-1\n", {"weight": "w"}, "'-1'; a weight is a number, 0 or more"),
        ("text,label,w\nx,a,\n", {"weight": "w"}, "column 'w' holds ''"),
        ("text,label,w\nx,a,nan\n", {"weight": "w"}, "'nan'"),
        ("text,label,w\nx,a,inf\n", {"weight": "w"}, "'inf'"),
    ],
)
def test_what_is_no_set_and_no_weight_is_named(
    put: Put, content: str, how: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        list(read_rows([put("d.csv", content)], **how))  # type: ignore[arg-type]


def test_a_bad_set_can_be_skipped(put: Put) -> None:
    path = put("d.csv", "text,a,b\nx,1,0\ny,1,maybe\nz,0,1\n")
    told: list[str] = []
    rows = read_rows([path], label=["a", "b"], skip_bad_rows=True, on_bad=told.append)
    assert [row.label for row in rows] == [("a",), ("b",)]
    assert len(told) == 1 and "maybe" in told[0]


def test_weights_stand_beside_labels_and_unlabelled_rows_need_none(put: Put) -> None:
    path = put("d.csv", "text,label,w\nx,a,2\ny,,\nz,b,0.5\n")
    assert [row.weight for row in read_rows([path], weight="w")] == [2.0, 1.0, 0.5]
    assert [row.weight for row in read_rows([path])] == [1.0, 1.0, 1.0]


def test_a_column_of_weights_is_looked_for_at_the_door(put: Put) -> None:
    path = put("d.csv", "text,label,w\nx,a,2\n")
    check_sources([path], weight="w")
    with pytest.raises(InputError, match=r"no column 'v' \(--sample-weight\).*'w'"):
        check_sources([path], weight="v")


def test_a_schema_tells_the_columns_of_labels(put: Put) -> None:
    path = put("d.csv", "text,a,b\nx,1,0\n")
    (schema,) = check_sources([path], label=["a", "b"], need_label=True)
    assert schema.label == ("a", "b")


@pytest.mark.parametrize("label", ['"\\ud800"', '["a", "b\\udfff"]', '"a|\\ud800"'])
def test_half_a_character_is_no_label(put: Put, label: str) -> None:
    """It could not be written into a model, and two such would be one there."""
    path = put("d.jsonl", f'{{"text": "x", "label": {label}}}\n{{"text": "y", "label": "a"}}\n')
    with pytest.raises(InputError, match=r"line 1: column 'label' holds '.*\\ud.*half a character"):
        list(read_rows([path], separator="|"))
    told: list[str] = []
    rows = read_rows([path], skip_bad_rows=True, on_bad=told.append)
    assert [row.text for row in rows] == ["y"] and len(told) == 1


def test_a_character_of_two_halves_is_a_label(put: Put) -> None:
    path = put("d.jsonl", '{"text": "x", "label": "\\ud83d\\ude00"}\n')
    assert [row.label for row in read_rows([path])] == ["\U0001f600"]
