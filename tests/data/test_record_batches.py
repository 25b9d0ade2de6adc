"""Arrow and Parquet give the same rows of the same table, whatever its columns hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ulmfit.data.sources import read_rows

Write = Callable[[pa.Table], Path]
YEAR_9999 = 253402300799  # its last second


@pytest.fixture(params=["arrow", "parquet"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Write a table in one of the two formats and return its path."""

    def written(rows: pa.Table) -> Path:
        path = tmp_path / f"a.{request.param}"
        if request.param == "parquet":
            pq.write_table(rows, path)
        else:
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
                writer.write_table(rows)
        return path

    return written


def test_class_labels_come_by_name(write: Write) -> None:
    label = {"names": ["neg", "pos"], "_type": "ClassLabel"}
    features = {"label": label, "tags": {"feature": label, "_type": "List"}}
    rows = pa.table({"text": ["a", "b", "c"], "label": [0, 1, -1], "tags": [[1], [0, 1], []]})
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    back = list(read_rows([write(rows.replace_schema_metadata(told))]))
    assert [row.label for row in back] == ["neg", "pos", None]
    assert [row.fields["tags"] for row in back] == [["pos"], ["neg", "pos"], []]
    plain = read_rows([write(rows.replace_schema_metadata({"huggingface": "[1]"}))])
    assert [row.label for row in plain] == ["0", "1", "-1"]


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([YEAR_9999, None], pa.timestamp("s", "Europe/Berlin"), "10000-01-01 00:59:59"),
        ([10**7, None], pa.date32(), "29349-01-26"),
        ([10**18, None], pa.duration("s"), "1000000000000000000"),
    ],
)
def test_an_odd_time_is_a_string_and_its_row_is_read(
    write: Write, values: list[Any], kind: Any, said: str
) -> None:
    odd = pa.array(values, kind)
    nested = pa.StructArray.from_arrays([odd, pa.array([1, 2])], ["when", "n"])
    usual = pa.array([0, 1], pa.timestamp("s"))
    rows = pa.table({"text": ["a", "b"], "when": odd, "usual": usual, "in": nested})
    first, second = read_rows([write(rows)])
    assert (first.text, second.text) == ("a", "b")
    assert str(first.fields["when"]).startswith(said)
    assert first.fields["in"] == {"when": first.fields["when"], "n": 1}
    assert second.fields["when"] is None
    assert [row.fields["usual"] for row in (first, second)] == usual.to_pylist()


def test_an_odd_time_beside_a_string_that_is_not_utf8_leaves_one_bad_row(write: Write) -> None:
    text = pa.array([b"a", b"\xff", b"c"], pa.binary()).cast(pa.string(), safe=False)
    odd = pa.array([YEAR_9999 * 2] * 3, pa.timestamp("s"))
    told: list[str] = []
    rows = read_rows(
        [write(pa.table({"text": text, "when": odd}))], skip_bad_rows=True, on_bad=told.append
    )
    assert [(row.text, row.line) for row in rows] == [("a", 1), ("c", 3)]
    assert len(told) == 1 and "row 2: a string that is not UTF-8" in told[0]


def test_parts_of_a_microsecond_need_no_pandas(write: Write) -> None:
    path = write(pa.table({"text": ["a"], "when": pa.array([1], pa.time64("ns"))}))
    (path.parent / "pandas.py").write_text("raise ImportError")
    script = (
        "import sys; from pathlib import Path; path = Path(sys.argv[1])\n"
        "sys.path.insert(0, str(path.parent))\n"
        "from ulmfit.data.sources import read_rows\n"
        "for row in read_rows([path]): print(row.fields['when'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "00:00:00.000000001\n", done.stderr
