"""Rows that fit in memory are written whole, whatever columns they have."""

import pytest

from ulmfit.data.sources import read_rows
from ulmfit.data.write_table import check_table, new_names, write_table
from ulmfit.errors import InputError

ROWS = [{"text": 'a, b\n"c"', "n": 1}, {"text": "é \ud800", "extra": 0.5}]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_rows_come_back(tmp_path, name):
    write_table(tmp_path / name, ROWS)
    read = list(read_rows([tmp_path / name]))
    assert read[0].text == ROWS[0]["text"] and read[1].text.startswith("é")
    assert str(read[0].fields["n"]).startswith("1")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_columns_stand_first_and_without_rows(tmp_path):
    write_table(tmp_path / "t.csv", [{"b": 2}], columns=["a"])
    assert (tmp_path / "t.csv").read_text() == "a,b\n,2\n"
    write_table(tmp_path / "t.csv", [], columns=["a", "b"])
    assert (tmp_path / "t.csv").read_text() == "a,b\n"


def test_what_is_there_stays_where_writing_fails(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(path, [{"a": 1}])
    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        write_table(path, ({"a": 1 / (3 - i)} if i < 3 else _fail() for i in range(5)))
    assert path.read_bytes() == before


def _fail() -> dict[str, object]:
    raise RuntimeError("the disk is gone")


def test_bad_destinations(tmp_path):
    for name, told in (("t.xls", "csv"), ("no/t.csv", "no folder")):
        with pytest.raises(InputError, match=told):
            check_table(tmp_path / name)
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        write_table(tmp_path / "d.csv", [])


def test_new_names_are_new():
    assert new_names(["a", "b", "a"], ["a"]) == ["a_predicted", "b", "a_predicted_2"]
