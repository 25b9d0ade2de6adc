"""The folder of a long work: the same request finds it again, another one is told what differs."""

from pathlib import Path
from typing import Any

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline.inputs import Input, described
from ulmfit.pipeline.locking import LOCK
from ulmfit.pipeline.work import opened_work

ASKED: dict[str, Any] = {
    "command": "x",
    "options": {"labels": None, "text": ("a", "b")},
    "folds": 5,
}


def open_work(folder: Path, asked: dict[str, Any], *, overwrite: bool) -> bool:
    """Open it and leave it again."""
    with opened_work(folder, asked, [], overwrite=overwrite) as known:
        return known


def test_the_same_request_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "work"
    assert not open_work(folder, ASKED, overwrite=False)
    (folder / "done").write_text("1")
    assert open_work(folder, ASKED, overwrite=False)
    assert (folder / "done").exists()


def test_another_request_is_told_what_differs(tmp_path: Path) -> None:
    open_work(tmp_path / "work", ASKED, overwrite=False)
    other = {**ASKED, "options": {"labels": 10, "text": ("a", "b")}}
    with pytest.raises(InputError, match=r"options\.labels was null, now 10.*--overwrite"):
        open_work(tmp_path / "work", other, overwrite=False)
    with pytest.raises(InputError, match=r"folds was 5, now null"):
        open_work(tmp_path / "work", {k: ASKED[k] for k in ("command", "options")}, overwrite=False)


def test_overwriting_begins_anew(tmp_path: Path) -> None:
    open_work(tmp_path / "work", ASKED, overwrite=False)
    (tmp_path / "work" / "done").write_text("1")
    assert not open_work(tmp_path / "work", {**ASKED, "folds": 2}, overwrite=True)
    assert not (tmp_path / "work" / "done").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_ours_is_left_alone(overwrite: bool, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("keep me")
    for out in (mine, mine / "notes.txt"):
        with pytest.raises(InputError, match="not made by this command"):
            open_work(out, ASKED, overwrite=overwrite)
    with pytest.raises(InputError, match="is a file"):
        open_work(mine / "notes.txt" / "x", ASKED, overwrite=overwrite)
    assert (mine / "notes.txt").read_text() == "keep me"


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert not open_work(tmp_path, ASKED, overwrite=False)


def test_a_damaged_request_is_told(tmp_path: Path) -> None:
    open_work(tmp_path / "work", ASKED, overwrite=False)
    (tmp_path / "work" / "asked.json").write_text("{")
    with pytest.raises(InputError, match=r"asked\.json: not what `ulmfit` wrote"):
        open_work(tmp_path / "work", ASKED, overwrite=False)


def test_one_process_works_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "work"
    with opened_work(folder, ASKED, [], overwrite=False) as known:
        assert not known and (folder / LOCK).exists()
        (folder / "done").write_text("1")
        for overwrite in (False, True):
            again = opened_work(folder, ASKED, [], overwrite=overwrite)
            with pytest.raises(InputError, match="another process is at work in it"), again:
                pass
        assert (folder / "done").exists()
    with opened_work(folder, ASKED, [], overwrite=False) as known:
        assert known
    with opened_work(folder, ASKED, [], overwrite=True) as known:
        assert not known and not (folder / "done").exists() and (folder / LOCK).exists()


def test_no_lock_is_put_where_the_work_may_not_be(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep me")
    work = opened_work(tmp_path, ASKED, [], overwrite=True)
    with pytest.raises(InputError, match="not made by this command"), work:
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_work_of_a_process_that_was_killed_before_it_began_is_ours(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch()
    with opened_work(tmp_path, ASKED, [], overwrite=False) as known:
        assert not known


def test_the_same_request_on_other_bytes_is_refused(tmp_path: Path) -> None:
    folder, data = tmp_path / "work", tmp_path / "data.csv"

    def read() -> list[Input]:
        return [described("data", data)]

    data.write_text("text,label\na good film,x\n")
    with opened_work(folder, ASKED, read(), overwrite=False):
        pass
    before = (folder / "asked.json").read_bytes()
    data.write_text("text,label\na good plot,x\n")
    again = opened_work(folder, ASKED, read(), overwrite=False)
    told = r"data\.csv: not what it was \(as many bytes, but others\).*--overwrite"
    with pytest.raises(InputError, match=told), again:
        pass
    assert (folder / "asked.json").read_bytes() == before
    data.write_text("text,label\na good film,x\n")
    with opened_work(folder, ASKED, read(), overwrite=False) as known:
        assert known


def test_work_that_was_begun_without_hashes_goes_on(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,label\n")
    open_work(tmp_path / "work", ASKED, overwrite=False)
    read = [described("data", tmp_path / "data.csv")]
    with opened_work(tmp_path / "work", ASKED, read, overwrite=False) as known:
        assert known
