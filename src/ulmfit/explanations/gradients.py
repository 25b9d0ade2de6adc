"""Integrated gradients: what each token adds to a model's answer.

Source: Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks". A text is
faded in from nothing (the embedding vectors times a share that rises from 0 to 1), and the
gradients on the way are averaged. The scores of all tokens sum to the answer for the text less
the answer for the faded one, up to the error of the sum that stands for the integral.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from ulmfit.data.stream import Ids
from ulmfit.model.heads import TextClassifier
from ulmfit.model.lstm_paths import State
from ulmfit.model.pooling import Pool

STEPS = 8
MIDPOINTS = tuple((step + 0.5) / STEPS for step in range(STEPS))
POSITIONS = 4096  # tokens times steps in one pass: about 300 MB of graph at 1,150 hidden units
Quantity = Callable[[Tensor], Tensor]
"""logits (batch, outputs) -> (batch,): the number that is explained"""


def token_scores(
    model: TextClassifier, ids: Ids, quantity: Quantity, shares: Sequence[float] = MIDPOINTS
) -> NDArray[np.float64]:
    """What each token adds to the quantity: (tokens,), the first of which is `xxbos` and adds 0.

    Tokens before the last `model.pooled_tokens`, which no pooling sees, get 0: they are read
    without a graph, so that a text of any length needs bounded memory.

    Args:
        model: one direction's.
        ids: (tokens,) as that direction reads them.
        quantity: the number to explain.
        shares: of the way from nothing to the text, where the gradients are taken; (1.0,) alone
            gives gradients times inputs.
    """
    with torch.no_grad():
        early, late = np.split(ids, [max(0, len(ids) - model.pooled_tokens)])
        states = _read(model, early)
        whole = model.encoder.embedding[_to(late, model)].float()  # (time, embedding)
        nothing = torch.zeros_like(whole)
        if not len(early):
            nothing[0] = whole[0]  # a text of no words has its beginning
    slopes = torch.zeros_like(whole)
    at_once = max(1, POSITIONS // len(late))
    for start in range(0, len(shares), at_once):
        some = torch.tensor(shares[start : start + at_once], device=whole.device)
        slopes += _slopes(model, nothing, whole, some, states, quantity)
    added = ((whole - nothing) * slopes / len(shares)).double().sum(1)
    return np.concatenate([np.zeros(len(early)), added.cpu().numpy()])


def _read(model: TextClassifier, ids: Ids) -> list[State]:
    """The states after tokens that no pooling sees."""
    states = model.encoder.initial_states(1)
    for start in range(0, len(ids), model.chunk):
        window = _to(ids[start : start + model.chunk], model)[:, None]
        states = model.encoder(window, states).states
    return states


def _slopes(
    model: TextClassifier,
    nothing: Tensor,
    whole: Tensor,
    shares: Tensor,
    states: list[State],
    quantity: Quantity,
) -> Tensor:
    """Gradients at some shares of the way, summed: (time, embedding)."""
    time, steps = len(whole), len(shares)
    way = nothing + shares[:, None, None] * (whole - nothing)  # (steps, time, embedding)
    embedded = way.flatten(0, 1).requires_grad_()
    # A vocabulary with a word for each place: its rows are what the gradient is taken of.
    places = torch.arange(steps * time, device=whole.device).view(steps, time).t()
    with torch.enable_grad():
        total = quantity(_logits(model, embedded, places, states)).sum()
        (slopes,) = torch.autograd.grad(total, embedded)
    return slopes.view(steps, time, -1).sum(0)


def _logits(model: TextClassifier, embedded: Tensor, ids: Tensor, states: list[State]) -> Tensor:
    """As `TextClassifier.forward` on documents of one length, with other rows for embeddings."""
    time, batch = ids.shape
    frozen = {name: weight.detach() for name, weight in model.encoder.named_parameters()}
    weights = {**frozen, "embedding": embedded}
    states = [(h.repeat(batch, 1), c.repeat(batch, 1)) for h, c in states]
    pool = Pool.empty(batch, embedded.shape[1], embedded)
    lengths = torch.full((batch,), time, device=ids.device)
    for start in range(0, time, model.chunk):
        out = functional_call(model.encoder, weights, (ids[start : start + model.chunk], states))
        states = out.states
        pool = pool.add(out.dropped, start, lengths, time)
    logits: Tensor = model.head(pool.concatenated())
    return logits


def _to(ids: Ids, model: TextClassifier) -> Tensor:
    return torch.from_numpy(ids).to(model.encoder.embedding.device)
