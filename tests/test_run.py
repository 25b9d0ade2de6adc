"""Runs: the best epoch is kept, patience counts where it should, resuming repeats nothing."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ulmfit.errors import InputError
from ulmfit.run import Plan, Run, Validated, plan, probe
from ulmfit.training.checkpoint import load_checkpoint
from ulmfit.training.layer_groups import Phase, all_at_once, gradual_unfreezing
from ulmfit.training.loop import Loop
from ulmfit.training.schedules import constant, slanted_triangular

CPU = torch.device("cpu")
STEPS = 3


class Fit:
    """A regression whose dropout draws from torch's generator; it carries the last mean."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.carried = torch.ones(3)

    def steps(self, epoch: int) -> int:
        return STEPS

    def tokens(self, epoch: int) -> int:
        return 18 * STEPS

    def batches(self, epoch: int, start: int) -> Iterator[Tensor]:
        for step in range(start, STEPS):
            yield torch.randn(6, 3, generator=torch.Generator().manual_seed(10 * epoch + step))

    def loss(self, batch: Tensor) -> tuple[Tensor, float, int, float]:
        loss = (self.model(batch + self.carried) - 1).square().mean()
        self.carried = batch.mean(0)
        return loss, loss.item(), 18, 1.0

    def start_epoch(self) -> None:
        self.carried = torch.ones(3)

    def state(self) -> dict[str, Tensor]:
        return {"carried": self.carried}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.carried = state["carried"]


def new_loop(phases: list[Phase]) -> Loop:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    groups = [list(model[0].parameters()), list(model[2].parameters())]
    return Loop(model, groups, Fit(model), phases, device=CPU, precision="fp32")


def epochs(count: int) -> list[Phase]:
    return all_at_once([0.02, 0.02], count, constant)


def scripted(loop: Loop, losses: list[float]) -> Callable[[], dict[str, float]]:
    """Figures that are given for each epoch."""

    def validate() -> dict[str, float]:
        at = loop.position
        done = sum(p.epochs for p in loop.phases[: at.phase]) + at.epoch
        return {"loss": losses[done - 1]}

    return validate


def drive(
    folder: Path, losses: list[float], phases: list[Phase] | None = None, **options: Any
) -> tuple[Run, list[Any], list[dict[str, Tensor]]]:
    """The run, its records, and the weights after each epoch."""
    loop = new_loop(phases or epochs(len(losses)))
    run = Run(loop, folder, scripted(loop, losses), **options)
    records, weights = [], []
    for record in run.drive():
        records.append(record)
        if isinstance(record, Validated):
            weights.append({n: t.clone() for n, t in loop.model.state_dict().items()})
    return run, records, weights


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


@pytest.mark.parametrize(
    ("losses", "best"),
    [([3, 1, 2], 1), ([3, 2, 1], 2), ([1, 2, 3], 0), ([2, 1, 1], 1), ([nan, 2, 1], 2)],
)
def test_the_model_ends_with_the_weights_of_the_best_epoch(
    losses: list[float], best: int, tmp_path: Path
) -> None:
    run, records, weights = drive(tmp_path, losses)
    assert run.best["epoch"] == best
    assert same(dict(run.loop.model.state_dict()), weights[best])
    flags = [r.best for r in records if isinstance(r, Validated)]
    assert [i for i, flag in enumerate(flags) if flag][-1] == best


@pytest.mark.parametrize(
    ("losses", "margins", "best"),
    [
        ([3, 1, 1.4, 1.6], [0, 0.5, 0, 0], 2),
        ([3, 1, 1.4, 1.6], [0, 0.7, 0, 0], 3),
        ([3, 1, 1.4, 0.8, 1.2], [0, 0.5, 0, 0.3, 0.2], 3),
        ([3, 1, 1.4, 1.6], [0, 0.3, 0, 0.5], 1),
        ([3, 1, 1.4, 1.6], [0, 0.3, 0, 0.52], 3),
        ([3, 1, 1.4, 1.6, 1.1], [0, 0.3, 0, 0, 0], 4),
        ([1, 1], [0, 0], 1),
    ],
)
def test_the_last_of_those_within_a_margin_is_kept(
    losses: list[float], margins: list[float], best: int, tmp_path: Path
) -> None:
    loop = new_loop(epochs(len(losses)))
    left = iter(zip(losses, margins, strict=True))

    def validate() -> dict[str, float]:
        return dict(zip(("loss", "margin"), next(left), strict=True))

    run = Run(loop, tmp_path, validate, margin="margin")
    flags, weights = [], []
    for record in run.drive():
        if isinstance(record, Validated):
            flags.append(record.best)
            weights.append({n: t.clone() for n, t in loop.model.state_dict().items()})
    assert run.best["epoch"] == best
    assert same(dict(loop.model.state_dict()), weights[best])
    assert [i for i, flag in enumerate(flags) if flag][-1] == best


@pytest.mark.parametrize(("margin", "best"), [(None, 1), (0.9, 3), (inf, 4)])
def test_the_margin_may_be_a_number(margin: float | None, best: int, tmp_path: Path) -> None:
    run, _, weights = drive(tmp_path, [3, 1, 2.5, 2.2, 9], margin=margin)
    assert run.best["epoch"] == best
    assert same(dict(run.loop.model.state_dict()), weights[best])


def test_nothing_held_out_keeps_the_last_epoch(tmp_path: Path) -> None:
    loop = new_loop(epochs(2))
    run = Run(loop, tmp_path, dict)
    weights = [
        {n: t.clone() for n, t in loop.model.state_dict().items()}
        for record in run.drive()
        if isinstance(record, Validated)
    ]
    assert run.best == {} and len(weights) == 2
    assert same(dict(loop.model.state_dict()), weights[-1])


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    """Else the model would be ruined in silence; what it was before is in the checkpoint."""
    loop = new_loop([*epochs(1), *all_at_once([1e30, 1e30], 3, constant)])
    with pytest.raises(
        InputError, match=r"step \d of \d+: the loss is (inf|nan), at rates up to 1"
    ):
        list(Run(loop, tmp_path, dict).drive())
    kept = load_checkpoint(tmp_path / "checkpoint.safetensors")["model"]
    assert all(t.isfinite().all() for t in kept.values())
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    assert not any("NaN" in line or "Infinity" in line for line in lines)


def count_epochs(records: list[Any]) -> int:
    return sum(isinstance(r, Validated) for r in records)


def test_patience_stops_after_so_many_epochs_without_a_better_one(tmp_path: Path) -> None:
    _, records, _ = drive(tmp_path, [5, 4, 4.5, 4.2, 3, 2], patience=2)
    assert count_epochs(records) == 4


def test_patience_counts_from_the_last_phase_on(tmp_path: Path) -> None:
    """The stages before it may be as bad as they like, for as long as they like."""
    phases = gradual_unfreezing([0.02, 0.02], 5, constant, stage_epochs=4)
    losses = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    run, records, _ = drive(tmp_path, losses, phases, patience=2)
    assert count_epochs(records) == 4 + 2
    assert run.best["epoch"] == 0


@pytest.mark.parametrize("stop", [1, 3, 4, 5, 8, 14, 20, 25])
def test_a_run_stopped_anywhere_and_driven_again_ends_the_same(stop: int, tmp_path: Path) -> None:
    """25 records in all; a checkpoint at each step, then only at each epoch."""
    phases = gradual_unfreezing([0.02, 0.02], 3, slanted_triangular, stage_epochs=2)
    losses = [5, 4, 3, 3.5, 2]
    whole, _, _ = drive(tmp_path / "whole", losses, phases)
    wanted = (tmp_path / "whole" / "records.jsonl").read_text().splitlines()
    for seconds in (0.0, 1e9):
        folder = tmp_path / str(seconds)
        loop = new_loop(phases)
        stopped = Run(loop, folder, scripted(loop, losses), checkpoint_seconds=seconds).drive()
        for _ in range(stop):
            next(stopped)
        stopped.close()
        (folder / ".checkpoint.safetensors.123.part").write_text("of a killed process")
        again, _, _ = drive(folder, losses, phases, checkpoint_seconds=seconds)
        assert same(dict(again.loop.model.state_dict()), dict(whole.loop.model.state_dict()))
        assert again.history == whole.history
        lines = (folder / "records.jsonl").read_text().splitlines()
        assert [untimed(line) for line in lines] == [untimed(line) for line in wanted]
        assert sorted(p.name for p in folder.iterdir()) == [
            "best.safetensors",
            "checkpoint.safetensors",
            "records.jsonl",
        ]


def stopped(folder: Path, losses: list[float]) -> Path:
    """The log of a run that was stopped after a few steps, a checkpoint at each."""
    loop = new_loop(epochs(len(losses)))
    events = Run(loop, folder, scripted(loop, losses), checkpoint_seconds=0).drive()
    for _ in range(5):
        next(events)
    events.close()
    return folder / "records.jsonl"


def test_a_power_cut_loses_no_record_that_a_checkpoint_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the log only what was synced is there afterwards."""
    drive(tmp_path / "whole", [3, 2, 1])
    wanted = (tmp_path / "whole" / "records.jsonl").read_text().splitlines()
    synced: dict[int, int] = {}
    fsync = os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        synced[os.fstat(handle).st_ino] = os.fstat(handle).st_size

    monkeypatch.setattr(os, "fsync", noted)
    log = stopped(tmp_path / "cut", [3, 2, 1])
    os.truncate(log, synced.get(log.stat().st_ino, 0))
    drive(tmp_path / "cut", [3, 2, 1])
    lines = log.read_text().splitlines()
    assert [untimed(line) for line in lines] == [untimed(line) for line in wanted]


@pytest.mark.parametrize("torn", [b"", b"\0" * 9], ids=["cut short", "NULs"])
def test_a_log_with_a_torn_end_is_gone_on_with_from_its_last_whole_line(
    torn: bytes, tmp_path: Path
) -> None:
    log = stopped(tmp_path, [3, 2, 1])
    whole = log.read_bytes()
    log.write_bytes(whole[:-9] + torn)
    drive(tmp_path, [3, 2, 1])
    records = [json.loads(line) for line in log.read_text().splitlines()]
    lines = whole.decode().splitlines()
    assert records[: len(lines) - 1] == [json.loads(line) for line in lines[:-1]]
    assert records[-1]["record"] == "Validated"


def untimed(line: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    record.pop("seconds", None)
    return record


def test_records_tell_every_step_and_epoch_once(tmp_path: Path) -> None:
    drive(tmp_path, [2, 1])
    lines = (tmp_path / "records.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["record"] for line in lines]
    assert kinds == [*["Step"] * STEPS, "EpochEnd", "Validated"] * 2


def test_a_finished_run_driven_again_changes_nothing(tmp_path: Path) -> None:
    first, _, _ = drive(tmp_path, [2, 1, 3])
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    second, records, _ = drive(tmp_path, [2, 1, 3])
    assert records == []
    assert same(dict(second.loop.model.state_dict()), dict(first.loop.model.state_dict()))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_what_an_unbegun_run_left_is_not_taken_up(tmp_path: Path) -> None:
    tmp_path.joinpath("records.jsonl").write_text('{"record": "Step"}\n')
    drive(tmp_path, [1.0])
    assert len(tmp_path.joinpath("records.jsonl").read_text().splitlines()) == STEPS + 2


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _, _ = drive(tmp_path / "whole", [3, 2, 1])
    calls, fsync = 0, os.fsync

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        drive(tmp_path / "full", [3, 2, 1], checkpoint_seconds=0)
    monkeypatch.undo()
    again, records, _ = drive(tmp_path / "full", [3, 2, 1])
    assert 0 < count_epochs(records) < 3 or len(records) < 3 * (STEPS + 2)
    assert same(dict(again.loop.model.state_dict()), dict(whole.loop.model.state_dict()))


def flat(state: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in state.items():
        found |= (
            flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def test_a_probe_leaves_everything_as_it_was() -> None:
    phases = gradual_unfreezing([0.02, 0.02], 2, constant)
    loop = new_loop(phases)
    before = {k: v.clone() if isinstance(v, Tensor) else v for k, v in flat(loop.state()).items()}
    seconds = probe(loop)
    after = flat(loop.state())
    assert seconds > 0
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]) if isinstance(value, Tensor) else value == after[key]
    plain = new_loop(phases)
    list(plain.run())
    probed = new_loop(phases)
    probe(probed)
    list(probed.run())
    assert same(dict(probed.model.state_dict()), dict(plain.model.state_dict()))


def test_the_plan_tells_phases_steps_and_tokens() -> None:
    phases = gradual_unfreezing([0.01, 0.02], 4, constant)
    told = plan(new_loop(phases), "classifier", seconds=0.5)
    assert told == Plan(
        "classifier",
        [
            {"name": "last 1", "epochs": 1, "thawed": [1], "peak_rates": [0.0, 0.02]},
            {"name": "all", "epochs": 4, "thawed": [0, 1], "peak_rates": [0.01, 0.02]},
        ],
        steps=5 * STEPS,
        tokens=5 * STEPS * 18,
        seconds=5 * STEPS * 0.5,
    )
