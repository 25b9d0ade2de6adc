"""The loop, with a toy task that carries a state and draws at random."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint
from ulmfit.training.layer_groups import Phase, all_at_once, chain_thaw, gradual_unfreezing
from ulmfit.training.loop import EpochEnd, Loop, Step
from ulmfit.training.schedules import constant, slanted_triangular

CPU = torch.device("cpu")
STEPS = 4


class Walk:
    """Regression on noisy batches; what one step saw is carried to the next."""

    def __init__(self, model: nn.Module, factor: float = 1.0) -> None:
        self.model = model
        self.factor = factor
        self.carried = torch.zeros(3)
        self.epochs_begun = 0

    def steps(self, epoch: int) -> int:
        return STEPS + epoch % 2

    def tokens(self, epoch: int) -> int:
        return 15 * self.steps(epoch)

    def batches(self, epoch: int, start: int) -> Iterator[Tensor]:
        for step in range(start, self.steps(epoch)):
            yield torch.randn(5, 3, generator=torch.Generator().manual_seed(100 * epoch + step))

    def loss(self, batch: Tensor) -> tuple[Tensor, float, int, float]:
        loss = (self.model(batch + self.carried) - batch.sum(1, keepdim=True)).square().mean()
        self.carried = batch.mean(0)
        return loss, loss.item(), batch.numel(), self.factor

    def start_epoch(self) -> None:
        self.epochs_begun += 1
        self.carried = torch.zeros(3)

    def state(self) -> dict[str, Tensor]:
        return {"carried": self.carried}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.carried = state["carried"]


def new_loop(phases: list[Phase], *, factor: float = 1.0, **options: float) -> Loop:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.4), nn.Linear(4, 4), nn.Linear(4, 1))
    groups = [list(model[i].parameters()) for i in (0, 2, 3)]
    task = Walk(model, factor)
    return Loop(model, groups, task, phases, device=CPU, precision="fp32", **options)  # type: ignore[arg-type]


def weights(loop: Loop) -> list[Tensor]:
    return [p.detach().clone() for p in loop.model.parameters()]


def equal(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


STAGED = gradual_unfreezing([0.01, 0.02, 0.03], 2, slanted_triangular)


def test_records_tell_each_step_and_each_epoch() -> None:
    records = list(new_loop(STAGED).run())
    ends = [r for r in records if isinstance(r, EpochEnd)]
    steps = [r for r in records if isinstance(r, Step)]
    assert [e.epoch for e in ends] == [0, 1, 2, 3]
    assert [e.phase for e in ends] == ["last 1", "last 2", "all", "all"]
    assert [(s.step, s.total) for s in steps if s.phase == "all"] == [
        (i, 2 * STEPS + 1) for i in range(1, 2 * STEPS + 2)
    ], "a schedule spans all epochs of its phase"
    for end in ends:
        own = [s.loss for s in steps if s.epoch == end.epoch]
        assert end.loss == pytest.approx(sum(own) / len(own))


def test_rates_follow_the_schedule_of_each_group_times_the_tasks_factor() -> None:
    steps = [r for r in new_loop(STAGED, factor=0.5).run() if isinstance(r, Step)]
    for number, step in enumerate(s for s in steps if s.phase == "last 2"):
        wanted = [0.0, *(0.5 * slanted_triangular(number, STEPS + 1, p) for p in (0.02, 0.03))]
        assert step.rates == pytest.approx(wanted)


@pytest.mark.parametrize(
    "phases", [STAGED, chain_thaw(0.03, 0.01, 3, 1, constant)], ids=["gradual", "chain-thaw"]
)
def test_frozen_groups_do_not_change_and_get_no_gradient(phases: list[Phase]) -> None:
    loop = new_loop(phases, weight_decay=0.1, clip=1.0)
    before = [[p.detach().clone() for p in g] for g in loop.groups]
    thawed = {phase.name: phase.thawed for phase in phases}
    for record in loop.run():
        if isinstance(record, EpochEnd):
            before = [[p.detach().clone() for p in g] for g in loop.groups]
            continue
        for i, group in enumerate(loop.groups):
            changed = not equal(before[i], [p.detach() for p in group])
            assert changed == (i in thawed[record.phase])
            if i not in thawed[record.phase]:
                assert all(p.grad is None and not p.requires_grad for p in group)


def test_one_step_is_torchs_adam_with_clipping() -> None:
    options = {"weight_decay": 0.01, "clip": 0.1}
    loop = new_loop(all_at_once([0.1] * 3, 1, constant), **options)
    model = new_loop([]).model.train()
    adam = torch.optim.Adam(model.parameters(), 0.1, (0.7, 0.99), weight_decay=0.01)
    batch = next(loop.task.batches(0, 0))
    torch.manual_seed(3)
    next(loop.run())
    torch.manual_seed(3)
    loss = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    adam.step()
    torch.testing.assert_close(weights(loop), [p.detach() for p in model.parameters()])


def test_each_phase_begins_with_a_fresh_adam() -> None:
    loop = new_loop(STAGED)
    counts = [
        max(float(e["step"]) for e in loop.optimizer.state_dict()["state"].values())
        for record in loop.run()
        if isinstance(record, EpochEnd)
    ]
    assert counts == [STEPS, STEPS + 1, STEPS, 2 * STEPS + 1]


@pytest.mark.parametrize("stop", range(1, 22))
def test_a_run_resumed_after_any_record_ends_in_the_same_bytes(stop: int, tmp_path: Path) -> None:
    torch.manual_seed(1)
    whole = new_loop(STAGED)
    records = list(whole.run())
    assert len(records) == 4 * STEPS + 2 + 4

    torch.manual_seed(1)
    first = new_loop(STAGED)
    run = first.run()
    for _ in range(stop):
        next(run)
    save_checkpoint(tmp_path / "c", first.state())

    torch.manual_seed(99)  # the new process knows nothing of the old one
    second = new_loop(STAGED)
    second.load_state(load_checkpoint(tmp_path / "c"))
    rest = list(second.run())
    assert equal(weights(second), weights(whole))
    tell = [(r.epoch, r.loss) for r in records[stop:]]
    assert [(r.epoch, r.loss) for r in rest] == tell


def test_a_state_can_be_taken_before_the_first_step(tmp_path: Path) -> None:
    loop = new_loop(STAGED)
    save_checkpoint(tmp_path / "c", loop.state())
    other = new_loop(STAGED)
    other.load_state(load_checkpoint(tmp_path / "c"))
    assert equal(weights(other), weights(loop))
