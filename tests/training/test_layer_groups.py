"""What learns when, as the papers say."""

import torch
from torch import nn

from ulmfit.training.layer_groups import (
    Phase,
    all_at_once,
    chain_thaw,
    gradual_unfreezing,
    set_thawed,
)
from ulmfit.training.schedules import constant, cosine

PEAKS = [0.1, 0.2, 0.3, 0.4]


def thawed(phases: list[Phase]) -> list[tuple[tuple[int, ...], int]]:
    return [(phase.thawed, phase.epochs) for phase in phases]


def test_gradual_unfreezing_thaws_one_more_each_epoch_from_the_last() -> None:
    assert thawed(gradual_unfreezing(PEAKS, 7, constant)) == [
        ((3,), 1),
        ((2, 3), 1),
        ((1, 2, 3), 1),
        ((0, 1, 2, 3), 7),
    ]


def test_the_scripts_stop_after_two_stages_and_change_the_schedule() -> None:
    phases = gradual_unfreezing(PEAKS, 7, constant, last_schedule=cosine, stages=2)
    assert thawed(phases) == [((3,), 1), ((2, 3), 1), ((0, 1, 2, 3), 7)]
    assert [phase.schedule for phase in phases] == [constant, constant, cosine]


def test_more_stages_than_groups_are_as_many_as_there_are() -> None:
    assert len(gradual_unfreezing(PEAKS[:2], 1, constant, stages=9)) == 2


def test_chain_thaw_takes_the_last_then_each_alone_from_the_first_then_all() -> None:
    phases = chain_thaw(1e-3, 1e-4, 3, 5, constant)
    assert thawed(phases) == [((2,), 1), ((0,), 1), ((1,), 1), ((0, 1, 2), 5)]
    assert all(phase.peaks == (1e-4, 1e-4, 1e-3) for phase in phases)


def test_all_at_once_has_one_phase() -> None:
    assert thawed(all_at_once(PEAKS, 3, constant)) == [((0, 1, 2, 3), 3)]


def test_rates_are_each_groups_own_and_nothing_where_frozen() -> None:
    phase = Phase("p", 1, (1, 3), tuple(PEAKS), cosine)
    assert phase.rates(0, 10) == [0, 0.2, 0, 0.4]
    assert phase.rates(5, 10) == [0, cosine(5, 10, 0.2), 0, cosine(5, 10, 0.4)]


def test_set_thawed_freezes_the_rest_and_can_be_undone() -> None:
    layers = [nn.Linear(2, 2) for _ in range(3)]
    groups = [list(layer.parameters()) for layer in layers]
    set_thawed(groups, (1,))
    assert [g[0].requires_grad for g in groups] == [False, True, False]
    loss = nn.Sequential(*layers)(torch.ones(1, 2)).sum()
    torch.autograd.backward(loss)
    assert [g[0].grad is not None for g in groups] == [False, True, False]
    set_thawed(groups, (0, 1, 2))
    assert all(p.requires_grad for g in groups for p in g)
