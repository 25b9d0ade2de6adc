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
    assert recorded == pytest.approx(one_by_one, rel=1e-5)
    pairs = zip(*(loop.model.parameters() for loop in loops), strict=True)
    for wanted, got in pairs:
        torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


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
    assert first + losses(again) == pytest.approx(whole, rel=1e-4)


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
