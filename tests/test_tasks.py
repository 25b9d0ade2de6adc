"""The two tasks with real models: exact resume, right figures, order and batching of no effect."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ulmfit import stream_task
from ulmfit.corpus import Corpus
from ulmfit.data.stream import Documents
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel, PooledClassifier, TextClassifier
from ulmfit.stream_task import LanguageModelTask, language_model_groups, stream_nats
from ulmfit.tasks import ClassifierTask, classifier_groups
from ulmfit.training.checkpoint import load_checkpoint, save_checkpoint
from ulmfit.training.layer_groups import gradual_unfreezing
from ulmfit.training.loop import Loop
from ulmfit.training.schedules import slanted_triangular

CPU = torch.device("cpu")
PAD = 1
IdArray = NDArray[np.int64]


def sizes(corpus: Corpus) -> Architecture:
    return Architecture(int(corpus.ids.max()) + 1, 6, 8, 2)


def language_model(corpus: Corpus) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(AWDLSTM(sizes(corpus), Dropouts()), 2.0, 1.0)


def language_model_task(corpus: Corpus, seed: int = 0, **options: object) -> LanguageModelTask:
    order = np.arange(len(corpus.lengths))
    given = {"batch": 4, "bptt": 20, **options}
    return LanguageModelTask(language_model(corpus), corpus, order, seed=seed, **given)  # type: ignore[arg-type]


def classifier(corpus: Corpus, dropouts: Dropouts | None = None) -> TextClassifier:
    torch.manual_seed(0)
    encoder = AWDLSTM(sizes(corpus), dropouts or Dropouts())
    torch.nn.init.normal_(encoder.embedding)
    return TextClassifier(encoder, PooledClassifier(6, 2, 5), chunk=13, pooled_tokens=30)


LoopMaker = Callable[[], Loop]


@pytest.fixture(params=["language model", "classifier", "classifier without dropout"])
def new_loop(
    request: pytest.FixtureRequest,
    corpus: Corpus,
    documents: list[IdArray],
    labels: NDArray[np.int64],
) -> LoopMaker:
    def make() -> Loop:
        if request.param == "language model":
            task = language_model_task(corpus)
            model: torch.nn.Module = task.model
            groups = language_model_groups(task.model)
        else:
            without = request.param.endswith("without dropout")
            body = classifier(corpus, Dropouts().scaled(0) if without else Dropouts())
            model, groups = body, classifier_groups(body)
            task = ClassifierTask(body, documents, labels, 8, 0, PAD)  # type: ignore[assignment]
        phases = gradual_unfreezing([0.02] * len(groups), 2, slanted_triangular, stages=1)
        return Loop(model, groups, task, phases, clip=0.25, device=CPU, precision="fp32")

    return make


def test_a_run_resumed_after_random_steps_ends_in_the_same_bytes(
    new_loop: LoopMaker, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    whole = new_loop()
    records = len(list(whole.run()))
    stops = np.random.default_rng(0).choice(np.arange(1, records), 6, replace=False)
    for stop in stops:
        torch.manual_seed(5)
        first = new_loop()
        run = first.run()
        for _ in range(stop):
            next(run)
        save_checkpoint(tmp_path / "c", first.state())
        torch.manual_seed(1234)
        second = new_loop()
        second.load_state(load_checkpoint(tmp_path / "c"))
        assert len(list(second.run())) == records - stop
        for name, tensor in whole.model.state_dict().items():
            assert torch.equal(second.model.state_dict()[name], tensor), (stop, name)


def test_groups_hold_every_parameter_once(corpus: Corpus) -> None:
    lm, body = language_model(corpus), classifier(corpus)
    lm_groups, body_groups = language_model_groups(lm), classifier_groups(body)
    for model, groups in [(lm, lm_groups), (body, body_groups)]:
        held = [id(p) for group in groups for p in group]
        assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert len(lm_groups) == 3 and any(p is lm.encoder.embedding for p in lm_groups[-1])
    assert len(body_groups) == 4 and body_groups[0][0] is body.encoder.embedding


def test_the_rate_is_scaled_with_the_length_of_the_window(corpus: Corpus) -> None:
    task = language_model_task(corpus)
    for window in task.batches(0, 0):
        _, _, tokens, factor = task.loss(window)
        assert factor == pytest.approx(len(window.ids) / 20)
        assert tokens == window.ids.size
    fixed = language_model_task(corpus, variable=False)
    assert {fixed.loss(w)[3] for w in fixed.batches(0, 0)} == {1.0}


def test_states_are_carried_within_an_epoch_and_not_into_the_next(corpus: Corpus) -> None:
    task = language_model_task(corpus)
    task.model.eval()
    first, second = list(task.batches(0, 0))[:2]
    task.start_epoch()
    fresh = task.loss(second)[1]
    task.start_epoch()
    task.loss(first)
    assert task.loss(second)[1] != fresh
    task.start_epoch()
    assert task.loss(second)[1] == fresh


def test_epochs_are_shuffled_anew_and_each_is_repeatable(corpus: Corpus) -> None:
    def told(task: LanguageModelTask, epoch: int) -> list[int]:
        return [int(i) for w in task.batches(epoch, 0) for i in w.ids[:, 0]]

    task = language_model_task(corpus)
    assert told(task, 0) == told(task, 0) == told(language_model_task(corpus), 0)
    assert told(task, 0) != told(task, 1)
    assert told(task, 0) != told(language_model_task(corpus, seed=1), 0)


def test_a_budget_caps_the_windows_of_an_epoch(corpus: Corpus) -> None:
    task = language_model_task(corpus, max_steps=3)
    assert task.steps(0) == 3
    assert len(list(task.batches(0, 0))) == 3
    assert len(list(task.batches(0, 2))) == 1


def test_an_epochs_tokens_are_those_of_its_steps(
    corpus: Corpus, documents: list[IdArray], labels: NDArray[np.int64]
) -> None:
    for task in (
        language_model_task(corpus),
        language_model_task(corpus, max_steps=3),
        language_model_task(corpus, max_steps=3, variable=False),
        ClassifierTask(classifier(corpus), documents, labels, 8, 0, PAD),
    ):
        for epoch in (0, 1):
            assert task.tokens(epoch) == sum(task.loss(b)[2] for b in task.batches(epoch, 0))


def test_a_backward_task_reads_each_document_in_reverse(corpus: Corpus) -> None:
    task = language_model_task(corpus, batch=1, backward=True)
    stream = np.concatenate([w.ids[:, 0] for w in task.batches(0, 0)])
    told = {tuple(d) for d in np.split(stream, np.flatnonzero(stream == 2)[1:])[:-1]}
    wanted = set()
    for begin, end in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True):
        document = corpus.ids[begin:end].tolist()
        wanted.add((document[0], *reversed(document[1:])))
    assert told <= wanted and len(told) >= len(wanted) - 1


def nats_by_definition(model: LanguageModel, row: Tensor) -> float:
    """Of one row from an empty state, in one piece."""
    ids = row[:-1, None]
    with torch.no_grad():
        out = model.encoder(ids, model.encoder.initial_states(1))
        logits = F.linear(out.raw, model.encoder.embedding, model.decoder_bias)[:, 0]
    return float(-logits.double().log_softmax(1).gather(1, row[1:, None]).sum())


@pytest.mark.parametrize("bptt", [7, 50, 10_000])
def test_nats_of_a_stream_by_definition(corpus: Corpus, bptt: int) -> None:
    model = language_model(corpus).train()
    documents = corpus.documents()
    stream = torch.from_numpy(documents.read(0, len(documents)))
    total, count = stream_nats(model, documents, "fp32", bptt)
    rows = max(1, min(stream_task.EVALUATION_ROWS, (len(stream) - 1) // bptt))
    size = (len(stream) - 1) // rows
    starts = [*range(0, rows * size, size)]
    pieces = [stream[s : s + size + 1] for s in starts] + [stream[rows * size :]]
    pieces = [piece for piece in pieces if len(piece) > 1]
    model.eval()
    assert count == len(stream) - 1, "every token but the first is predicted once"
    assert total == pytest.approx(sum(nats_by_definition(model, p) for p in pieces), rel=1e-5)


def test_measuring_leaves_the_mode_and_draws_nothing(corpus: Corpus) -> None:
    model, before = language_model(corpus).train(), torch.get_rng_state()
    stream_nats(model, corpus.documents(), "fp32")
    assert model.training and torch.equal(before, torch.get_rng_state())


def test_two_tokens_are_enough_to_measure(corpus: Corpus) -> None:
    ids = np.array([2, 9], np.uint16)
    total, count = stream_nats(language_model(corpus), Documents(ids, np.array([0, 2])), "fp32")
    assert count == 1 and total > 0


def one_by_one(model: TextClassifier, documents: list[IdArray]) -> NDArray[np.float64]:
    with torch.no_grad():
        logits = [model(torch.from_numpy(d)[:, None], torch.tensor([len(d)])) for d in documents]
    return torch.cat(logits).double().softmax(1).numpy()


def test_the_classifiers_loss_is_cross_entropy(
    corpus: Corpus, documents: list[IdArray], labels: NDArray[np.int64]
) -> None:
    model = classifier(corpus).eval()
    task = ClassifierTask(model, documents, labels, 8, 0, PAD)
    batch = next(task.batches(0, 0))
    loss, figure, tokens, factor = task.loss(batch)
    own = one_by_one(model, [documents[r] for r in batch.rows])
    wanted = -np.log(own[np.arange(len(batch.rows)), labels[batch.rows]]).mean()
    assert loss.item() == figure == pytest.approx(wanted, rel=1e-5)
    assert tokens == sum(len(documents[r]) for r in batch.rows)
    assert factor == 1.0


def test_documents_are_read_once_while_their_vectors_stay_as_they_are(
    corpus: Corpus, documents: list[IdArray], labels: NDArray[np.int64]
) -> None:
    model = classifier(corpus, Dropouts().scaled(0)).train()
    task = ClassifierTask(model, documents, labels, 8, 0, PAD)
    seen: list[int] = []
    model.encoder.register_forward_hook(lambda *_: seen.append(1))

    def epoch(number: int) -> list[float]:
        return [task.loss(batch)[1] for batch in task.batches(number, 0)]

    torch.manual_seed(1)
    wanted, read = [epoch(0), epoch(1)], len(seen)
    model.encoder.requires_grad_(False)
    torch.manual_seed(1)
    found = [epoch(0), epoch(1)]
    assert read > 0 and len(seen) == read  # none by the model: the reader has its own way
    for a, b in zip(wanted, found, strict=True):
        assert b == pytest.approx(a, rel=1e-4)
    with torch.no_grad():  # thawed, learned and frozen again: the old vectors are not kept
        model.encoder.requires_grad_(True)
        model.encoder.embedding *= 3
        changed = epoch(2)
    model.encoder.requires_grad_(False)
    torch.manual_seed(1)
    again = epoch(0)
    assert len(changed) and again != pytest.approx(found[0], rel=1e-3)


@pytest.mark.parametrize("way", ["dropout", "budget", "thawed"])
def test_vectors_that_change_are_read_anew(
    way: str, corpus: Corpus, documents: list[IdArray], labels: NDArray[np.int64]
) -> None:
    dropouts = Dropouts() if way == "dropout" else Dropouts().scaled(0)
    model = classifier(corpus, dropouts).train().requires_grad_(False)
    model.encoder.layers[1].requires_grad_(way == "thawed")
    steps = 1 if way == "budget" else None
    task = ClassifierTask(model, documents, labels, 8, 0, PAD, max_steps=steps)
    seen: list[int] = []
    model.encoder.register_forward_hook(lambda *_: seen.append(1))
    for number in (1, 2):
        task.loss(next(task.batches(0, 0)))
        assert len(seen) >= number


def test_states_are_given_out_and_put_back(corpus: Corpus) -> None:
    wide = replace(sizes(corpus), layers=3)
    model = LanguageModel(AWDLSTM(wide, Dropouts()))
    task = LanguageModelTask(model, corpus, np.arange(40), 4, 20, 0)
    task.loss(next(task.batches(0, 0)))
    saved = {k: v.clone() for k, v in task.state().items()}
    assert len(saved) == 6
    task.start_epoch()
    assert not any(v.any() for v in task.state().values())
    task.load_state(saved)
    assert all(torch.equal(task.state()[k], v) for k, v in saved.items())
