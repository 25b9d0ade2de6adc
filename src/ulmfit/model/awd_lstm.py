"""The AWD-LSTM encoder (Merity et al. 2017): words in, one vector per word out."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from ulmfit.model.dropout import Dropouts, embed_with_dropout, locked_dropout
from ulmfit.model.lstm import LSTMLayer
from ulmfit.model.lstm_paths import State

INITIAL_RANGE = 0.1  # Merity et al. 2017, sec. 5: embedding weights uniform in [-0.1, 0.1]


@dataclass(frozen=True)
class Architecture:
    """The shape of an AWD-LSTM. Default: the papers' (400, 1150, 3; PAPER, Method)."""

    vocabulary: int = 30_000
    embedding: int = 400
    hidden: int = 1150
    layers: int = 3

    def layer_sizes(self) -> list[tuple[int, int]]:
        """(input, output) of each layer; the last gives the embedding's size, to tie with it."""
        outputs = [self.hidden] * (self.layers - 1) + [self.embedding]
        return list(zip([self.embedding, *outputs[:-1]], outputs, strict=True))

    def to_dict(self) -> dict[str, int]:
        """As it stands in a bundle's config.json."""
        return asdict(self)


@dataclass(frozen=True)
class Encoded:
    """What a pass gives. All (time, batch, embedding) except the states."""

    raw: Tensor
    """the last layer's output before dropout (temporal activation regularisation reads it)"""
    dropped: Tensor
    """the same after output dropout"""
    states: list[State]
    """one (h, c) a layer after the last step, each (batch, hidden)"""


class AWDLSTM(nn.Module):
    """Embedding and LSTM layers with the five dropouts.

    Args:
        architecture: sizes.
        dropouts: probabilities; only used in training mode.
    """

    def __init__(self, architecture: Architecture, dropouts: Dropouts) -> None:
        super().__init__()
        self.architecture = architecture
        self.dropouts = dropouts
        weight = torch.empty(architecture.vocabulary, architecture.embedding)
        self.embedding = nn.Parameter(weight.uniform_(-INITIAL_RANGE, INITIAL_RANGE))
        self.layers = nn.ModuleList(
            LSTMLayer(i, o, dropouts.weight) for i, o in architecture.layer_sizes()
        )

    def initial_states(self, batch: int) -> list[State]:
        """Zeros for a batch of documents that begin."""
        zeros = [
            self.embedding.new_zeros(batch, size) for _, size in self.architecture.layer_sizes()
        ]
        return [(z, z) for z in zeros]

    def forward(
        self,
        ids: Tensor,
        states: list[State],
        waiting: int = 0,
        again: bool = False,
        words: Tensor | None = None,
    ) -> Encoded:
        """(time, batch) of int64 and the states before it -> `Encoded`.

        Frozen lower layers build no graph: autograd records nothing below the first
        parameter that wants a gradient.

        Args:
            ids: which rows of `words`.
            states: before the first step.
            waiting: the first so many rows build no graph in the layers.
            again: as `LSTMLayer.forward` has it.
            words: (words, embedding); None: the whole embedding matrix.
        """
        p, words = self.dropouts, self.embedding if words is None else words
        x = embed_with_dropout(ids, words, p.embedding, self.training)
        x = locked_dropout(x, p.input, self.training)
        new_states = []
        for i, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            if i:
                x = locked_dropout(x, p.hidden, self.training)
            x, state = layer(x, state, waiting, again)
            new_states.append(state)
        return Encoded(x, locked_dropout(x, p.output, self.training), new_states)


def detach(states: list[State]) -> list[State]:
    """The same values, cut off from the graph that made them."""
    return [(h.detach(), c.detach()) for h, c in states]
