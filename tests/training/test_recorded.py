"""Recorded steps: the same numbers as steps taken one by one, and a way back from failure."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel, Softmax
from ulmfit.resident import ResidentCorpus
from ulmfit.stream_task import LanguageModelTask, language_model_groups
from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint
from ulmfit.training.layer_groups import gradual_unfreezing
from ulmfit.training.loop import Loop, Step
from ulmfit.training.schedules import slanted_triangular

DEVICES = [
    pytest.param("cpu", id="cpu"),
    pytest.param("cuda", marks=pytest.mark.gpu, id="gpu"),
]

# On a CPU both ways do the same sums in the same order. On a GPU some gradients are added up by
# atomics, in an order that differs from run to run, and a library may cut a product otherwise where
# it is recorded: a sum of float32 is then another by some 1e-6 of itself. Adam makes more of that,
# since a weight whose gradient is all rounding is still moved by up to the rate. Measured in these
# very steps on a CPU, noise on each gradient of 1e-6 (1e-4) of its largest number: losses 1e-5
# (8e-5) apart, weights 0.006 (0.04) of their norm. What a wrong recording does, measured so too:
# states forgotten, rates a step late, or other dropout masks move losses by 0.0024 to 0.007 and
# weights by 0.14 to 0.45. The bounds stand between.
LOSSES_APART = {"cpu": 1e-5, "cuda": 5e-4}
WEIGHTS_APART = {"cpu": 1e-4, "cuda": 0.08}


def new_loop(
    corpus: Corpus,
    device: str,
    *,
    record: bool,
    softmax: Softmax = "full",
    precision: devices.Precision = "fp32",
) -> Loop[LanguageModelTask]:
    """Two phases of a small model with every dropout; windows of few lengths."""
    torch.manual_seed(0)
    sizes = Architecture(int(corpus.ids.max()) + 1, 8, 16, 2)
    model = LanguageModel(AWDLSTM(sizes, Dropouts()), 2.0, 1.0, softmax).to(device)
    order = np.arange(len(corpus.lengths))
    task = LanguageModelTask(model, corpus, order, 4, 16, seed=0, multiple=8)
    if device != "cpu":
        task.resident = ResidentCorpus(corpus, torch.device(device))
    groups = language_model_groups(model)
    phases = gradual_unfreezing([0.02] * len(groups), 2, slanted_triangular, stages=1)
    where = torch.device(device)
    return Loop(
        model, groups, task, phases, clip=0.25, device=where, precision=precision, record=record
    )


def losses(loop: Loop[LanguageModelTask]) -> list[float]:
    return [record.loss for record in loop.run() if isinstance(record, Step)]


@pytest.mark.parametrize("device", DEVICES)
def test_the_numbers_are_those_of_steps_one_by_one(corpus: Corpus, device: str) -> None:
    """Losses, rates and weights, through a change of phase and windows of several lengths."""
    loops, told = [], []
    for record in (False, True):
        loops.append(new_loop(corpus, device, record=record))
        assert loops[-1].records == record
        told.append(losses(loops[-1]))
    one_by_one, recorded = told
    assert len(recorded) > 20
    assert recorded == pytest.approx(one_by_one, rel=LOSSES_APART[device])
    pairs = zip(*(loop.model.parameters() for loop in loops), strict=True)
    for wanted, got in pairs:
        assert (got - wanted).norm() <= WEIGHTS_APART[device] * wanted.norm()


@pytest.mark.parametrize("device", DEVICES)
def test_a_run_that_was_cut_goes_on_where_it_was(
    corpus: Corpus, device: str, tmp_path: Path
) -> None:
    whole = losses(new_loop(corpus, device, record=True))
    loop = new_loop(corpus, device, record=True)
    first = [next(loop.run()).loss]
    run = loop.run()
    first += [step.loss for step in (next(run) for _ in range(6)) if isinstance(step, Step)]
    save_checkpoint(tmp_path / "state", loop.state())
    run.close()
    again = new_loop(corpus, device, record=True)
    again.load_state(load_checkpoint(tmp_path / "state"))
    assert first + losses(again) == pytest.approx(whole, rel=max(1e-4, LOSSES_APART[device]))


def test_what_cannot_be_recorded_is_taken_one_by_one_and_told(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, function: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("not permitted while capturing")

    monkeypatch.setattr(devices.Recorder, "record", refuse)
    wanted = losses(new_loop(corpus, "cpu", record=False))
    with pytest.warns(UserWarning, match="not permitted"):
        got = losses(new_loop(corpus, "cpu", record=True))
    assert got == pytest.approx(wanted, rel=1e-5)


def test_a_shape_is_recorded_once_after_its_warm_up(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[int] = []
    loop = new_loop(corpus, "cpu", record=True)
    loop.phases = loop.phases[-1:]
    record = devices.Recorder.record

    def noted(self: devices.Recorder, function: Callable[[], None]) -> Callable[[], None]:
        recorded.append(1)
        return record(self, function)

    monkeypatch.setattr(devices.Recorder, "record", noted)
    seen: dict[int, int] = {}
    for epoch in range(2):
        for window in loop.task.batches(epoch, 0):
            seen[len(window.ids)] = seen.get(len(window.ids), 0) + 1
    losses(loop)
    assert len(recorded) == sum(count > 2 for count in seen.values()) < len(seen)


def test_a_sampled_softmax_is_not_recorded(corpus: Corpus) -> None:
    assert not new_loop(corpus, "cpu", record=True, softmax="sampled").records


@pytest.mark.gpu
def test_in_bf16_on_a_gpu_nothing_fails_on_the_way(corpus: Corpus) -> None:
    """No warning either: the kernels compile, cuDNN takes the weights as they lie."""
    told = losses(new_loop(corpus, "cuda", record=True, precision="bf16"))
    wanted = losses(new_loop(corpus, "cuda", record=False))
    assert np.mean(told[-5:]) == pytest.approx(np.mean(wanted[-5:]), rel=0.05)
