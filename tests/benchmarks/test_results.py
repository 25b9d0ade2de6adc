"""results.json, the table and the plot, made of answers that nobody measured."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.measured import growing, predicting, starting, systems, text, training
from benchmarks.pairs import Side, Spread
from benchmarks.results import KEYS, Outcome
from benchmarks.sizes import Sizes

from benchmarks import __main__ as command
from benchmarks import material, plan, plots, results, table
from ulmfit.errors import InputError

MACHINE = {
    **{"cpu": "a processor", "cores": 2, "instruction_sets": ["avx2"], "bf16": "fp32: no AMX"},
    **{"ours": {"torch": "2"}, "peers": {"fastai": "2", "torch": None}},
}


def answers_of(sides: dict[str, Side], folder: Path, rounds: int, **_: Any) -> dict[str, Any]:
    """Ours do six pieces a second, all others two."""
    return {
        name: [_answer(6 if side.environment == "ours" else 2)] * rounds
        for name, side in sides.items()
    }


def _answer(work: int) -> dict[str, Any]:
    return {
        **{"work": work, "seconds": 1.0, "peak_mb": 300.0, "wall_s": 1 / work, "tokens": 7 * work},
        **{"import_s": 0.1, "open_s": 0.1, "first_s": 0.1, "worker_mb": 10.0, "answers": [0.5]},
        "by_length": {"30": 0.01, "100": 0.03, "1000": 0.3},
        "by_corpus": {"500": 0.1, "5000": 1.0},
    }


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What all benchmarks together write, if measuring were for nothing."""
    for module in (growing, predicting, starting, text, training):
        for name, stand_in in {
            "measure": answers_of,
            "measure_fresh": answers_of,
            "make_saved": lambda *_: None,
            "all_systems": lambda: SYSTEMS,
            "installed": lambda _: True,
            "_help": lambda: 0.2,
        }.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, stand_in)
    path = tmp_path / "results.json"
    for benchmark in plan.BENCHMARKS.values():
        outcome = benchmark.run(tmp_path, Sizes())
        new = results.updated(
            results.read(path), benchmark.name, outcome, MACHINE, seconds=60, rounds=5
        )
        results.store(path, new)
    yield results.read(path)


SYSTEMS = {
    "ours": Side("", "ours", {"system": "system_ours"}),
    "ours, fp32": Side("", "ours", {"system": "system_ours"}),
    **{n: Side("", "peers") for n in ("fastai", "TF-IDF", "MiniLM", "fastText")},
}


def test_every_key_is_written_by_its_benchmark(found: dict[str, Any]) -> None:
    assert results.missing(found) == []
    for key, name in KEYS.items():
        assert key in found["parts"][name]["keys"]
        least, most = found["spread"][key]
        assert least <= found[key] <= most


def test_ratios_are_ours_over_fastai_and_times_are_times(found: dict[str, Any]) -> None:
    ratios = {key for key in KEYS if key.endswith("_ratio")}
    assert {found[key] for key in ratios} == {3.0}
    assert found["single_text_ms"] == pytest.approx(1000 / 6, rel=1e-3)
    assert (found["load_s"], found["help_s"]) == (1.0, 0.2)


def test_the_table_shows_every_ratio_system_and_note(found: dict[str, Any]) -> None:
    shown = table.markdown(found)
    assert shown.count("**3** (3 to 3)") == len(table.RATIOS)
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    widths = {line.count("|") for line in rows}
    assert widths == {4, 5, 6}
    for name in (*SYSTEMS, "fp32: no AMX", *(what for what, _ in table.SINGLE.values())):
        assert name in shown


def test_the_table_of_a_part_has_what_was_measured(tmp_path: Path) -> None:
    outcome = Outcome({"help_s": Spread(0.2, 0.1, 0.3)})
    few = results.updated({}, "start", outcome, MACHINE, seconds=1, rounds=5)
    assert "| `ulmfit --help` | 0.2 s | (0.1 to 0.3) |" in table.markdown(few)
    assert table.markdown({}) == "nothing is measured yet: make bench"


def test_the_plot_is_drawn_of_what_was_measured(found: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "growth.png"
    assert plots.draw(found, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert plots.points({"1000": 3.0, "30": 1.0}) == ([30, 1000], [1.0, 3.0])
    assert not plots.draw({"parts": {}}, path)


def test_a_benchmark_alone_updates_its_keys_and_no_other() -> None:
    first = results.updated({}, "a", Outcome({"x": Spread(1, 1, 1), "y": Spread(2, 2, 2)}), MACHINE)
    both = results.updated(first, "b", Outcome({"z": Spread(3, 3, 3)}), MACHINE)
    again = results.updated(both, "a", Outcome({"x": Spread(5, 4, 6)}), MACHINE)
    assert (again["x"], again["z"], "y" in again) == (5, 3, False)
    assert again["spread"] == {"x": [4, 6], "z": [3, 3]}
    assert set(again["parts"]) == {"a", "b"}


def test_figures_of_another_machine_are_not_mixed_in() -> None:
    first = results.updated({}, "a", Outcome({"x": Spread(1, 1, 1)}), MACHINE)
    there = {**MACHINE, "cpu": "another"}
    moved = results.updated(first, "b", Outcome({"z": Spread(3, 3, 3)}), there)
    assert "x" not in moved and set(moved["parts"]) == {"b"} and moved["machine"] == there


def test_a_stranger_s_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for content in ("{", "[]", json.dumps({"lm_train_ratio": 9})):
        path.write_text(content)
        with pytest.raises(InputError, match=r"results\.json"):
            results.read(path)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pending = plan.Pending(tmp_path / "pending.json")
    assert pending.names() == []
    pending.begin()
    names = list(plan.BENCHMARKS)
    pending.done(names[0])
    assert pending.names() == names[1:]
    assert command._todo(command.arguments([]), pending) == plan.chosen(names[1:])
    assert command._todo(command.arguments(["--fresh"]), pending) == plan.chosen(names)
    assert command._todo(command.arguments([names[0]]), pending) == plan.chosen(names[:1])
    for name in names:
        pending.done(name)
    assert pending.names() == [] and not (tmp_path / "pending.json").exists()


def test_an_unknown_benchmark_is_named() -> None:
    with pytest.raises(InputError, match=r"'speed': choose among .*lm-train"):
        plan.chosen(["speed"])


def test_the_plan_tells_the_time_that_was_measured() -> None:
    benchmark = plan.BENCHMARKS["predict"]
    shown = plan.lines([benchmark], {"parts": {"predict": {"seconds": 120}}})
    assert "120 s" in shown[0] and "2.0 min" in shown[1]
    assert plan.expected(benchmark, {}) == benchmark.seconds


def test_systems_are_modules_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "installed", lambda _: True)
    sides = Path(command.HERE) / "sides"
    found = systems.all_systems().values()
    assert {side.environment for side in found} == {"ours", "peers"}
    for side in found:
        assert (sides / f"{side.options['system']}.py").exists()


def test_the_report_says_so_where_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "HERE", tmp_path)
    command.main(command.arguments(["--report"]))
    assert capsys.readouterr().out == "nothing is measured yet: make bench\n"


def test_without_imdb_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file train\.\*; `ulmfit data imdb`"):
        material.make(tmp_path / "work", tmp_path / "imdb", Sizes.quick())
