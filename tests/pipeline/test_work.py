"""The folder of a long work: the same request finds it again, another one is told what differs."""

from pathlib import Path
from typing import Any

import pytest

from ulmfit.errors import InputError
from ulmfit.pipeline.work import open_work

ASKED: dict[str, Any] = {
    "command": "x",
    "options": {"labels": None, "text": ("a", "b")},
    "folds": 5,
}


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
