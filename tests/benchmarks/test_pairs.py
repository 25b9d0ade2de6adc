import sys
from pathlib import Path

import pytest
from benchmarks.pairs import Side, Spread, measure, measure_fresh, ratio

from benchmarks import pairs

SIDE = """
import os

def prepare(folder, options):
    print("a library that talks while it is imported")
    calls = []

    def work():
        print("and while it works")
        calls.append(1)
        with (folder / "order").open("a") as file:
            file.write(options["name"])
        if len(calls) == options.get("dies"):
            raise SystemExit(3)
        return {"work": options["work"], "seconds": 0.5, "call": len(calls), "process": os.getpid()}

    return work
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a_side.py").write_text(SIDE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(pairs.PYTHON, "peers", sys.executable)
    return tmp_path


def sides(**more: int) -> dict[str, Side]:
    return {
        "ours": Side("a_side", "ours", {"name": "a", "work": 6}),
        "fastai": Side("a_side", "peers", {"name": "b", "work": 2, **more}),
    }


def test_a_ratio_is_taken_round_by_round() -> None:
    ours = [{"work": 10, "seconds": 1.0}, {"work": 10, "seconds": 2.0}, {"work": 10, "seconds": 4}]
    theirs = [{"work": 1, "seconds": 1.0}, {"work": 1, "seconds": 2.0}, {"work": 1, "seconds": 1.0}]
    assert ratio(ours, theirs) == Spread(10.0, 2.5, 10.0)


def test_sides_take_turns_and_the_first_round_only_warms_up(folder: Path) -> None:
    answers = measure(sides(), folder, 2)
    assert (folder / "order").read_text() == "ababab"
    assert [answer["call"] for answer in answers["ours"]] == [2, 3]
    assert ratio(answers["ours"], answers["fastai"]) == Spread(3.0, 3.0, 3.0)
    assert all(answer["peak_mb"] > 1 for answer in answers["fastai"])


def test_fresh_processes_share_nothing(folder: Path) -> None:
    answers = measure_fresh(sides(), folder, 2, warm=0)
    told = [answer for name in answers for answer in answers[name]]
    assert [answer["call"] for answer in told] == [1, 1, 1, 1]
    assert len({answer["process"] for answer in told}) == 4
    assert all(answer["wall_s"] > 0 for answer in told)


def test_a_side_that_dies_is_named(folder: Path) -> None:
    with pytest.raises(RuntimeError, match=r"a_side failed with exit code 3"):
        measure(sides(dies=2), folder, 2)
