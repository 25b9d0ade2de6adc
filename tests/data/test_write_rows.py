"""Predictions are written whole or not at all, and no input column is lost."""

from __future__ import annotations

import csv
import datetime
import json
import math
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ulmfit.data.column_types import Types
from ulmfit.data.sources import read_rows
from ulmfit.data.write_rows import PredictionWriter
from ulmfit.errors import InputError

FORMATS = ["csv", "tsv", "jsonl", "parquet"]
Rows = Sequence[tuple[Mapping[str, object], str, Sequence[float]]]
ROWS: Rows = [
    (
        {"id": i, "text": f'row {i}, "quoted"\nand größer \t', "note": None if i < 1500 else "n"},
        c,
        p,
    )
    for i in range(2500)
    for c, p in [("pos", (0.1 + 1e-17, 0.9)) if i % 2 else ("neg", (2 / 3, 1 / 3))]
]


def write(path: Path, rows: Rows, classes: Sequence[str] = ("neg", "pos")) -> PredictionWriter:
    with PredictionWriter(path, classes) as out:
        for row in rows:
            out.write(*row)
    return out


def read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()  # type: ignore[no-any-return]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.mark.parametrize("format", FORMATS)
def test_columns_order_and_values_are_kept(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    assert write(path, ROWS).rows == len(ROWS)
    got = read(path)
    assert list(got[0]) == ["id", "text", "note", "label", "p_neg", "p_pos"]
    for found, (fields, label, probabilities) in zip(got, ROWS, strict=True):
        assert (str(found["id"]), found["text"]) == (str(fields["id"]), fields["text"])
        assert (found["note"] or None, found["label"]) == (fields["note"], label)
        assert (float(str(found["p_neg"])), float(str(found["p_pos"]))) == probabilities
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_can_be_read_as_input(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    write(path, ROWS)
    rows = list(read_rows([path]))
    assert [(r.text, r.label) for r in rows] == [(f["text"], label) for f, label, _ in ROWS]


@pytest.mark.parametrize("format", FORMATS)
def test_an_input_column_of_the_same_name_stays(tmp_path: Path, format: str) -> None:
    fields = {"text": "t", "label": "gold", "p_pos": "old", "label_predicted": "older"}
    out = write(tmp_path / f"out.{format}", [(fields, "neg", [0.75, 0.25])])
    assert out.label_column == "label_predicted_2"
    assert out.probability_columns == ("p_neg", "p_pos_predicted")
    (row,) = read(tmp_path / f"out.{format}")
    assert {name: row[name] for name in fields} == fields
    assert row["label_predicted_2"] == "neg"


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    path.write_text("the old one")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), PredictionWriter(path, ["a"]) as out:
            for fields, _, _ in ROWS:
                out.write(fields, "a", [1.0])
            raise error
        assert path.read_text() == "the old one"
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_leaves_nothing(tmp_path: Path, format: str) -> None:
    full = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from ulmfit.data.write_rows import PredictionWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        with PredictionWriter(Path(sys.argv[1]), ["a"]) as out:
            for i in range(10_000):
                out.write({"text": f"{i} {hash(str(i))}"}, "a", [1.0])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", full, str(tmp_path / f"out.{format}")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "OSError" in done.stderr and "Exception ignored" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_kill_leaves_no_half_file_under_the_name(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from ulmfit.data.write_rows import PredictionWriter
        with PredictionWriter(Path(sys.argv[1]), ["a"]) as out:
            for i in range(100_000):
                out.write({"text": "t" * 100}, "a", [1.0])
                if i == 5000:
                    os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    path = tmp_path / "out.csv"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    write(path, ROWS)  # what is left of the killed one is in nobody's way
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_two_processes_with_one_destination_do_not_mix_their_rows(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from ulmfit.data.write_rows import PredictionWriter
        with PredictionWriter(Path(sys.argv[1]), []) as out:
            out.write({"text": "theirs"}, None)
        """
    )
    path, users = tmp_path / "out.csv", tmp_path / "out.csv.part"
    users.write_text("a user's own")
    with PredictionWriter(path, []) as out:
        out.write({"text": "mine " * 10_000}, None)  # more than a buffer holds
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        assert [row["text"] for row in read(path)] == ["theirs"]
        out.write({"text": "mine"}, None)
    assert [row["text"] for row in read(path)] == ["mine " * 10_000, "mine"]
    assert users.read_text() == "a user's own"
    assert sorted(tmp_path.iterdir()) == [path, users]


@pytest.mark.parametrize("format", FORMATS)
def test_several_labels_an_open_answer_and_a_value(tmp_path: Path, format: str) -> None:
    labels = [(), ("a", "b"), None, ("ü",)] * 600  # more than one group of Parquet
    path = tmp_path / f"sets.{format}"
    with PredictionWriter(path, ["a"], separator="|", abstains=True) as out:
        for label in labels:
            out.write({"text": "t"}, label, [0.5])
    back = [row.label for row in read_rows([path], separator="|")]
    assert back == labels
    first, second, third, _ = read(path)[:4]
    assert [str(row["abstained"]) for row in (first, second, third)] == ["False", "False", "True"]
    path = tmp_path / f"values.{format}"
    with PredictionWriter(path, [], label="value") as out:
        out.write({"text": "t", "value": "old"}, 1 / 3)
    (row,) = read(path)
    assert list(row) == ["text", "value", "value_predicted"]
    assert float(str(row["value_predicted"])) == 1 / 3


def odd_values() -> Iterator[Mapping[str, object]]:
    yield {
        "text": "a\ud800b",
        "when": datetime.date(2018, 1, 18),
        "tags": ["x", {"y": 1}],
        "b": b"\xff",
    }


@pytest.mark.parametrize("format", FORMATS)
def test_values_of_any_kind_can_be_written(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    write(path, [(fields, "neg", [1.0, 0.0]) for fields in odd_values()])
    (row,) = read(path)
    assert str(row["when"]) == "2018-01-18"
    assert row["text"] == ("a\ud800b" if format == "jsonl" else "a\\ud800b")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({}, "{}"),
        ({"a": {}, "b": 1}, {"a": "{}", "b": 1}),
        ([{}, {}], ["{}", "{}"]),
        ([[]], [[]]),
        (2**63, str(2**63)),
        ({"id": 2**64}, f'{{"id": {2**64}}}'),
        ({"a\ud800": "b\udc80"}, {"a\\ud800": "b\\udc80"}),
    ],
)
def test_parquet_takes_whatever_a_row_of_json_may_hold(
    value: object, stored: object, tmp_path: Path
) -> None:
    path, types, name = tmp_path / "out.parquet", Types(), "column\ud800"
    write(path, [({name: value}, "neg", [1.0, 0.0])] * 1500)  # more than one group
    assert [row["column\\ud800"] for row in read(path)] == [stored] * 1500
    types.add({name: value})
    with PredictionWriter(path, [], types=types) as out:
        out.write({name: value}, None)
    assert read(path)[0]["column\\ud800"] == stored


def test_a_number_too_large_for_its_parquet_column_is_told_of(tmp_path: Path) -> None:
    rows: Rows = [({"id": 1 if i < 2000 else 2**63}, "neg", [1.0, 0.0]) for i in range(3000)]
    with pytest.raises(InputError, match=r"'id' began as int64 .*write \.jsonl"):
        write(tmp_path / "out.parquet", rows)


def test_an_object_that_was_empty_at_first_is_kept_whole_in_parquet(tmp_path: Path) -> None:
    values: list[object] = [{"meta": {}}] * 2000 + [{"meta": {"a": 1}}]
    write(tmp_path / "out.parquet", [({"x": value}, "neg", [1.0, 0.0]) for value in values])
    assert read(tmp_path / "out.parquet")[-1]["x"] == {"meta": '{"a": 1}'}


def test_no_rows_give_a_file_with_a_header(tmp_path: Path) -> None:
    for format in FORMATS:
        write(tmp_path / f"out.{format}", [])
        assert read(tmp_path / f"out.{format}") == []


def test_rows_may_differ_in_jsonl_and_are_told_of_elsewhere(tmp_path: Path) -> None:
    rows: Rows = [({"a": 1}, "neg", [1.0, 0.0]), ({"a": 1, "b": 2}, "neg", [1.0, 0.0])]
    write(tmp_path / "out.jsonl", rows)
    assert "b" in read(tmp_path / "out.jsonl")[1]
    for format in ("csv", "parquet"):
        with pytest.raises(InputError, match=r"column 'b' came after the first row.*\.jsonl"):
            write(tmp_path / f"out.{format}", rows)


def test_a_column_that_changes_its_type_is_told_of_in_parquet(tmp_path: Path) -> None:
    rows: Rows = [({"a": 1 if i < 2000 else "x"}, "neg", [1.0, 0.0]) for i in range(3000)]
    with pytest.raises(InputError, match="'a' began as int64"):
        write(tmp_path / "out.parquet", rows)
    write(tmp_path / "out.csv", rows)


@pytest.mark.parametrize(
    ("first", "later"),
    [(1, 0.5), ({"a": 1}, {"a": 1, "b": 2}), ([1], [0.5]), ({"a": [{"b": 1}]}, {"a": [{"c": 1}]})],
    ids=["fraction", "new key", "fraction in a list", "new key within"],
)
def test_parquet_cuts_no_value_to_the_type_of_the_first_rows(
    first: object, later: object, tmp_path: Path
) -> None:
    values = [first] * 2000 + [later]
    rows: Rows = [({"a": value}, "neg", [1.0, 0.0]) for value in values]
    with pytest.raises(InputError, match="later holds something else"):
        write(tmp_path / "out.parquet", rows)
    types = Types()
    for row, _, _ in rows:
        types.add(row)
    with PredictionWriter(tmp_path / "out.parquet", ["neg", "pos"], types=types) as out:
        for row in rows:
            out.write(*row)
    got = [row["a"] for row in read(tmp_path / "out.parquet")]
    assert without_empty(got) == without_empty(values)


def without_empty(value: object) -> object:
    """A key that only other rows have is empty in Parquet."""
    if isinstance(value, list):
        return [without_empty(v) for v in value]
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in value.items() if v is not None}
    return value


def test_parquet_holds_what_does_not_go_together_as_text(tmp_path: Path) -> None:
    path, types = tmp_path / "out.parquet", Types()
    values = [*range(1500), *([None] * 1500), "n/a", {"b": None}]
    for value in values:
        types.add({"a": value})
    with PredictionWriter(path, [], types=types) as out:
        for value in values:
            out.write({"a": value}, None)
    got = [row["a"] for row in read(path)]
    assert got[3:5] == ["3", "4"] and got[-3:] == [None, "n/a", '{"b": null}']


@pytest.mark.parametrize("format", FORMATS)
def test_a_bare_carriage_return_can_be_read_again(tmp_path: Path, format: str) -> None:
    texts = ["a\rb", "plain", "\r", 'c\r"d"\n']
    write(tmp_path / f"out.{format}", [({"text": t, "n": 1}, "neg", [1.0, 0.0]) for t in texts])
    rows = read_rows([tmp_path / f"out.{format}"], blank_texts=True)
    assert [row.fields["text"] for row in rows] == texts


def test_json_has_no_word_for_what_is_no_number(tmp_path: Path) -> None:
    odd = {"text": "a", "score": math.nan, "more": {"list": [math.inf, 1.5]}}
    write(tmp_path / "out.jsonl", [(odd, "neg", [1.0, 0.0])])
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    told = json.loads(line, parse_constant=lambda word: pytest.fail(word))
    assert (told["score"], told["more"]) == (None, {"list": [None, 1.5]})
    write(tmp_path / "out.csv", [(odd, "neg", [1.0, 0.0])])
    assert '{""list"": [null, 1.5]}' in (tmp_path / "out.csv").read_text()


def test_a_wrong_destination_is_said_at_the_door(tmp_path: Path) -> None:
    for path, said in [
        (tmp_path / "out.xlsx", r"written as \.csv"),
        (tmp_path / "none" / "out.csv", "no folder"),
        (tmp_path, "is a folder|written as"),
    ]:
        with pytest.raises(InputError, match=said):
            PredictionWriter(path, ["a"])
    with pytest.raises(ValueError, match="zip"), PredictionWriter(tmp_path / "o.csv", ["a"]) as out:
        out.write({}, "a", [0.5, 0.5])
