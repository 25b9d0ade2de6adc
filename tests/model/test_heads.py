"""The tied decoder with AR and TAR; the pooled classifier over chunks, against one piece."""

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ulmfit.model.awd_lstm import AWDLSTM, Architecture, Encoded, detach
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel, PooledClassifier, TextClassifier
from ulmfit.model.lstm import LSTMLayer
from ulmfit.model.lstm_paths import State

SMALL = Architecture(vocabulary=19, embedding=5, hidden=8, layers=2)
NONE = Dropouts(0, 0, 0, 0, 0)
DROPPED = Dropouts(0.4, 0.3, 0.2, 0.1, 0.5)


def language_model(
    dropouts: Dropouts = NONE, alpha: float = 0.0, beta: float = 0.0
) -> LanguageModel:
    torch.manual_seed(0)
    model = LanguageModel(AWDLSTM(SMALL, dropouts), alpha, beta)
    torch.nn.init.normal_(model.decoder_bias)
    return model


def window(time: int = 6, batch: int = 3) -> tuple[Tensor, Tensor]:
    stream = torch.randint(19, (time + 1, batch), generator=torch.Generator().manual_seed(1))
    return stream[:-1], stream[1:]


def test_the_decoder_is_the_embedding_and_its_gradient_comes_from_both_uses() -> None:
    model = language_model()
    ids, targets = window()
    loss, nats, _ = model.loss(ids, targets, model.encoder.initial_states(3))
    loss.backward()

    apart = language_model()  # the same weights, with a decoder matrix of its own
    decoder = apart.encoder.embedding.detach().clone().requires_grad_()
    out = apart.encoder(ids, apart.encoder.initial_states(3))
    logits = F.linear(out.dropped, decoder, apart.decoder_bias)
    wanted = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    wanted.backward()

    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(nats, wanted.detach())
    assert apart.encoder.embedding.grad is not None and decoder.grad is not None
    torch.testing.assert_close(
        model.encoder.embedding.grad, apart.encoder.embedding.grad + decoder.grad
    )
    torch.testing.assert_close(model.decoder_bias.grad, apart.decoder_bias.grad)
    assert sum(p.numel() for p in model.parameters()) == 19 * 5 + 19 + sum(
        4 * o * (i + o + 1) for i, o in SMALL.layer_sizes()
    ), "no second matrix"


def test_activation_regularisation_by_its_formula() -> None:
    alpha, beta = 2.0, 1.0
    model = language_model(DROPPED, alpha, beta).train()
    ids, targets = window()
    torch.manual_seed(5)
    loss, nats, _ = model.loss(ids, targets, model.encoder.initial_states(3))
    torch.manual_seed(5)
    out: Encoded = model.encoder(ids, model.encoder.initial_states(3))
    ar = alpha * (out.dropped**2).mean()
    tar = beta * ((out.raw[1:] - out.raw[:-1]) ** 2).mean()
    torch.testing.assert_close(loss, nats + ar + tar)


def test_one_step_windows_have_no_temporal_part() -> None:
    model = language_model(alpha=0.0, beta=1.0)
    ids, targets = window(time=1)
    loss, nats, _ = model.loss(ids, targets, model.encoder.initial_states(3))
    torch.testing.assert_close(loss.detach(), nats)


def test_states_are_carried_and_the_gradient_stops_at_the_window() -> None:
    model = language_model()
    ids, targets = window()
    _, _, states = model.loss(ids, targets, model.encoder.initial_states(3))
    assert states[0][0].requires_grad
    loss, _, _ = model.loss(ids, targets, states)
    loss.backward()
    fresh = language_model()
    again, _, _ = fresh.loss(ids, targets, detach(states))
    again.backward()
    torch.testing.assert_close(model.encoder.embedding.grad, fresh.encoder.embedding.grad)


def test_nats_are_cross_entropy_per_position() -> None:
    model = language_model(DROPPED).eval()
    ids, targets = window(time=150)  # more positions than logits are made for at a time
    states = model.encoder.initial_states(3)
    with torch.no_grad():
        nats, _ = model.nats(ids, targets, states)
        raw = model.encoder(ids, states).raw
        logits = F.linear(raw, model.encoder.embedding, model.decoder_bias)
    wanted = -logits.log_softmax(2).gather(2, targets[..., None])[..., 0]
    torch.testing.assert_close(nats, wanted)


def classifier(
    chunk: int = 7, cap: int = 10**6, detach_chunks: bool = False, dropouts: Dropouts = NONE
) -> TextClassifier:
    torch.manual_seed(0)
    encoder = AWDLSTM(SMALL, dropouts)
    for parameter in encoder.parameters():  # documents that differ, so that batch norm is tame
        torch.nn.init.normal_(parameter)
    head = PooledClassifier(SMALL.embedding, 3, hidden=4, dropouts=(0.0, 0.0))
    return TextClassifier(
        encoder, head, chunk=chunk, pooled_tokens=cap, detach_chunks=detach_chunks
    )


@pytest.mark.parametrize("cap", [10**6, 9, 1])
@pytest.mark.parametrize("chunk", [4, 7, 100])
@pytest.mark.parametrize("weights", [(2.0, 1.0), (2.0, 0.0), (0.0, 1.0)], ids=str)
def test_the_penalty_is_of_the_pooled_positions_of_each_document_alone(
    chunk: int, cap: int, weights: tuple[float, float]
) -> None:
    """The mean of their squares and of the squares of their steps, across chunks' borders too."""
    model, lengths = classifier(chunk, cap).train(), [17, 9, 9, 1, 4]
    model.alpha, model.beta = weights
    ids, sizes = documents(lengths)
    _, got = model.read(ids, sizes)
    squares, steps = [], []
    for column, length in enumerate(lengths):
        alone, start = ids[:length, column : column + 1], max(0, length - cap)
        raw = model.encoder(alone, model.encoder.initial_states(1)).raw[start:, 0]
        squares.append(raw.square().flatten())
        steps.append(raw.diff(dim=0).square().flatten())
    of_steps = torch.cat(steps).mean() if cap > 1 else torch.zeros(())
    torch.testing.assert_close(got, weights[0] * torch.cat(squares).mean() + weights[1] * of_steps)
    got.backward()
    assert model.encoder.layers[0].w_hh.grad is not None
    with torch.no_grad():
        assert model.read(ids, sizes)[1] == 0


def test_there_is_no_penalty_unless_it_is_asked_for() -> None:
    _, penalty = classifier().train().read(*documents([3, 8]))
    assert penalty == 0 and not penalty.requires_grad


def documents(lengths: list[int]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(2, 19, (max(lengths), len(lengths)), generator=generator)
    for column, length in enumerate(lengths):
        ids[length:, column] = 1
    return ids, torch.tensor(lengths)


def logits_and_gradients(
    model: TextClassifier, ids: Tensor, lengths: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    logits = model.train()(ids, lengths)
    F.cross_entropy(logits, torch.arange(len(lengths)) % 3).backward()
    return logits.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


LENGTHS = [30, 22, 9, 1]


@pytest.mark.parametrize("chunk", [1, 4, 7, 29, 30])
def test_chunks_give_the_logits_and_gradients_of_one_piece(chunk: int) -> None:
    batch = documents(LENGTHS)
    wanted, wanted_gradients = logits_and_gradients(classifier(chunk=1000), *batch)
    got, gradients = logits_and_gradients(classifier(chunk=chunk), *batch)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == wanted_gradients.keys()
    torch.testing.assert_close(gradients, wanted_gradients, atol=1e-5, rtol=1e-5)


def by_hand(model: TextClassifier, ids: Tensor, chunk: int, detached: bool) -> Tensor:
    """Whole documents of one length, pooled from the definition."""
    states: list[State] = model.encoder.initial_states(ids.shape[1])
    outputs = []
    for piece in ids.split(chunk):
        out = model.encoder(piece, detach(states) if detached else states)
        states = out.states
        outputs.append(out.raw)
    h = torch.cat(outputs)
    logits: Tensor = model.head(torch.cat([h[-1], h.amax(0), h.mean(0)], 1))
    return logits


@pytest.mark.parametrize("detached", [False, True])
def test_pooling_is_last_max_mean_and_detaching_is_a_choice(detached: bool) -> None:
    ids, lengths = documents([20, 20, 20])
    got = logits_and_gradients(classifier(7, detach_chunks=detached), ids, lengths)
    model = classifier()
    logits = by_hand(model.train(), ids, 7, detached)
    F.cross_entropy(logits, torch.arange(3)).backward()
    torch.testing.assert_close(got[0], logits.detach(), atol=1e-5, rtol=1e-5)
    wanted = {n: p.grad for n, p in model.named_parameters()}
    torch.testing.assert_close(got[1], wanted, atol=1e-5, rtol=1e-5)


def test_detaching_changes_gradients_and_no_logit() -> None:
    batch = documents([20, 20, 20])
    logits, through = logits_and_gradients(classifier(7), *batch)
    same, cut = logits_and_gradients(classifier(7, detach_chunks=True), *batch)
    assert torch.equal(logits, same)
    name = "encoder.layers.0.w_hh"
    assert float((through[name] - cut[name]).norm() / through[name].norm()) > 1e-3


def test_the_gradient_crosses_borders_into_earlier_chunks() -> None:
    """A word that stands in the first chunk only hears of the last position alone."""

    def gradient_of_first_word(detached: bool) -> float:
        model = classifier(5, detach_chunks=detached)
        ids = torch.full((15, 1), 3)
        ids[1] = 17
        model.pool(ids, torch.tensor([15]))[0, : SMALL.embedding].sum().backward()  # [last]
        assert model.encoder.embedding.grad is not None
        return float(model.encoder.embedding.grad[17].norm())

    assert gradient_of_first_word(detached=False) > 0
    assert gradient_of_first_word(detached=True) == 0


def test_only_the_last_positions_up_to_the_cap_are_pooled() -> None:
    cap, lengths = 6, [20, 13, 4]
    model = classifier(5, cap).eval()
    ids, sizes = documents(lengths)
    with torch.no_grad():
        pooled = model.pool(ids, sizes)
        h = model.encoder(ids, model.encoder.initial_states(3)).raw
    for row, length in enumerate(lengths):
        seen = h[max(0, length - cap) : length, row]
        wanted = torch.cat([h[length - 1, row], seen.amax(0), seen.mean(0)])
        torch.testing.assert_close(pooled[row], wanted, atol=1e-6, rtol=1e-5)


def graphs(model: TextClassifier, ids: Tensor, lengths: Tensor) -> list[bool]:
    """Which chunks built one."""
    built: list[bool] = []
    handle = model.encoder.register_forward_hook(
        lambda _module, _inputs, out: built.append(out.raw.requires_grad)
    )
    model.pool(ids, lengths)
    handle.remove()
    return built


def test_chunks_without_a_pooled_position_build_no_graph() -> None:
    model = classifier(5, cap=6)
    assert graphs(model, *documents([23])) == [False] * 3 + [True] * 2  # 17 to 22 are pooled
    both = graphs(model, *documents([23, 4]))
    assert both == [True, False, False, True, True], "a short neighbour costs its own chunk only"


def test_no_chunk_builds_a_graph_in_inference() -> None:
    with torch.inference_mode():
        assert graphs(classifier(5).eval(), *documents([23])) == [False] * 5


def test_inference_holds_one_chunk_of_a_hundred_thousand_tokens() -> None:
    model = classifier(70, cap=10**6).eval()
    ids, lengths = documents([100_000])
    outputs: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def watch(_module: object, _inputs: object, out: Encoded) -> None:
        outputs.append(weakref.ref(out.raw))
        alive.append(sum(ref() is not None for ref in outputs[-5:]))

    model.encoder.register_forward_hook(watch)
    with torch.inference_mode():
        assert bool(model(ids, lengths).isfinite().all())
    assert len(alive) == -(-100_000 // 70) and max(alive) <= 2


def test_training_keeps_no_more_of_a_long_document_than_of_a_short_one() -> None:
    def kept(length: int) -> int:
        torch.manual_seed(0)
        wide = replace(SMALL, embedding=4, hidden=4, layers=1)
        head = PooledClassifier(4, 2, hidden=2)
        model = TextClassifier(AWDLSTM(wide, NONE), head, chunk=500, pooled_tokens=1400)
        saved = 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal saved
            saved += tensor.numel()
            return tensor

        ids = torch.randint(19, (length, 1))
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            model.pool(ids, torch.tensor([length]))
        return saved

    assert kept(100_000) <= 1.5 * kept(5_000)


STAGGERED = [38, 30, 23, 21, 12, 4]  # windows of 6 positions that open and close apart
NEAR = [26, 25, 22, 20]  # that lie near, and yet open in three chunks


def gradients_of(model: TextClassifier, pooled: Tensor) -> dict[str, Tensor]:
    """Of a sum in which every number has a weight of its own."""
    weights = torch.linspace(-1, 2, pooled.numel()).view(pooled.shape)
    (pooled * weights).sum().backward()
    named = model.encoder.named_parameters()
    return {n: p.grad for n, p in named if p.grad is not None}


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("spread", [STAGGERED, NEAR], ids=["apart", "near"])
def test_gradients_are_those_of_each_document_alone(spread: list[int], detached: bool) -> None:
    """Also where the documents' windows open in different chunks."""
    ids, lengths = documents(spread)
    shuffled = torch.randperm(len(spread), generator=torch.Generator().manual_seed(0))
    model = classifier(5, 6, detached).train()
    together = gradients_of(
        model, model.pool(ids[:, shuffled], lengths[shuffled])[shuffled.argsort()]
    )
    apart = classifier(5, 6, detached).train()
    rows = range(len(spread))
    alone = [apart.pool(ids[: spread[i], i : i + 1], lengths[i : i + 1]) for i in rows]
    torch.testing.assert_close(
        together, gradients_of(apart, torch.cat(alone)), atol=1e-5, rtol=1e-5
    )


def pooled_by_hand(model: TextClassifier, ids: Tensor, lengths: list[int]) -> Tensor:
    """With a graph for every row, cut where a document waits for its window; longest first."""
    chunk, cap = model.chunk, model.pooled_tokens
    met, ids = ids.unique(return_inverse=True)
    words = model.encoder.embedding[met]
    states: list[State] = model.encoder.initial_states(len(lengths))
    outputs: list[list[Tensor]] = [[] for _ in lengths]
    for start in range(0, lengths[0], chunk):
        active = sum(n > start for n in lengths)
        waiting = sum(n >= start + chunk + cap for n in lengths)
        states = [(h[:active], c[:active]) for h, c in states]
        out = model.encoder(ids[start : start + chunk, :active], states, words=words)
        cut = detach(out.states)
        states = [
            (torch.cat([h0[:waiting], h[waiting:]]), torch.cat([c0[:waiting], c[waiting:]]))
            for (h0, c0), (h, c) in zip(cut, out.states, strict=True)
        ]
        for row in range(active):
            outputs[row].append(out.dropped[:, row])
    rows = [torch.cat(o)[:n][-cap:] for o, n in zip(outputs, lengths, strict=True)]
    return torch.stack([torch.cat([h[-1], h.amax(0), h.mean(0)]) for h in rows])


@pytest.mark.parametrize("spread", [STAGGERED, NEAR], ids=["apart", "near"])
def test_rows_that_wait_share_every_dropout_mask_with_the_others(spread: list[int]) -> None:
    """And draw as before: the definition, which reads all rows at once, gives the same."""
    ids, lengths = documents(spread)

    def drawn(pool: Callable[[TextClassifier], Tensor]) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        model = classifier(5, 6, dropouts=DROPPED).train()
        torch.manual_seed(3)
        pooled = pool(model)
        gradients = gradients_of(model, pooled)
        return pooled.detach(), gradients, torch.rand(1)

    got = drawn(lambda model: model.pool(ids, lengths))
    wanted = drawn(lambda model: pooled_by_hand(model, ids, spread))
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def test_frozen_layers_are_not_read_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier(5, 6, dropouts=DROPPED).train()
    model.encoder.requires_grad_(False)
    monkeypatch.delattr(LSTMLayer, "_in_two")
    assert not model.pool(*documents(STAGGERED)).requires_grad


def bytes_kept(lengths: list[int]) -> int:
    """Memory that the graph of a batch holds, beside the parameters."""
    torch.manual_seed(0)
    sizes = Architecture(vocabulary=19, embedding=16, hidden=32, layers=2)
    model = TextClassifier(
        AWDLSTM(sizes, DROPPED), PooledClassifier(16, 2), chunk=10, pooled_tokens=40
    )
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    held: dict[int, tuple[int, Tensor]] = {}  # of each storage; the tensor keeps it alive

    def pack(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        if memory.data_ptr() not in own:
            held[memory.data_ptr()] = memory.nbytes(), tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.pool(*documents(lengths))
    return sum(size for size, _ in held.values())


def test_memory_does_not_grow_with_the_spread_of_the_lengths() -> None:
    equal = bytes_kept([1300] * 32)
    assert bytes_kept([60 + 40 * i for i in range(32)]) <= 1.2 * equal  # one opens, one closes
    assert bytes_kept([1260 + 40 * i // 31 for i in range(32)]) <= 2 * equal


@pytest.mark.parametrize("cap", [10**6, 6])
def test_padding_changes_no_logit_and_no_gradient(cap: int) -> None:
    ids, lengths = documents([12, 8, 5])
    wanted = logits_and_gradients(classifier(5, cap), ids, lengths)
    padded = torch.cat([ids, torch.ones(17, 3, dtype=ids.dtype)])
    torch.testing.assert_close(
        logits_and_gradients(classifier(5, cap), padded, lengths), wanted, atol=1e-6, rtol=1e-5
    )


def test_what_stands_in_the_padding_does_not_matter() -> None:
    ids, lengths = documents([12, 8, 5])
    model = classifier(5).eval()
    with torch.no_grad():
        wanted = model(ids, lengths)
        ids[8:, 1], ids[5:, 2] = 7, 9
        torch.testing.assert_close(model(ids, lengths), wanted, atol=1e-6, rtol=1e-5)


def test_the_head_is_the_papers() -> None:
    head = PooledClassifier(400, 6)
    shapes = {name: tuple(p.shape) for name, p in head.named_parameters()}
    assert shapes == {
        "norm1.weight": (1200,),
        "norm1.bias": (1200,),
        "linear1.weight": (50, 1200),
        "linear1.bias": (50,),
        "norm2.weight": (50,),
        "norm2.bias": (50,),
        "linear2.weight": (6, 50),
        "linear2.bias": (6,),
    }
    torch.manual_seed(0)
    x = torch.randn(3, 1200)
    x[1] = x[0]
    with torch.no_grad():
        y = head.eval()(x)
    torch.testing.assert_close(y[0], y[1], atol=1e-6, rtol=1e-5)  # kernels may sum rows apart


def test_documents_that_ended_leave_the_batch() -> None:
    """However long the longest is, each document is read up to its own chunk's end."""
    lengths = [12, 95, 5, 30, 12]
    ids, sizes = documents(lengths)
    model, seen = classifier(10).eval(), 0
    encoder = model.encoder.forward

    def counted(window: Tensor, states: list[State], *how: Any) -> Encoded:
        nonlocal seen
        seen += window.numel()
        return encoder(window, states, *how)

    model.encoder.forward = counted  # type: ignore[method-assign]
    got = model.pool(ids, sizes)
    assert seen <= sum(-(-n // 10) * 10 for n in lengths)
    for row, n in enumerate(lengths):
        alone = model.pool(ids[:n, row : row + 1], sizes[row : row + 1])
        torch.testing.assert_close(got[row : row + 1], alone, atol=1e-6, rtol=1e-5)
