"""What stands on the encoder: a tied decoder for words, a pooled classifier for documents."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ulmfit import device as devices
from ulmfit.model.awd_lstm import AWDLSTM, Encoded, detach
from ulmfit.model.lstm_paths import State
from ulmfit.model.pooling import Penalty, Pool
from ulmfit.model.sampled_softmax import sampled_softmax_loss
from ulmfit.model.softmax import softmax_loss

ROWS = 256  # positions whose logits exist at a time in evaluation: 30 MB at 30,000 words

Softmax = Literal["full", "sampled", "auto"]


class LanguageModel(nn.Module):
    """An encoder and a decoder that shares its embedding matrix (Merity et al. 2017, sec. 4.4).

    Args:
        encoder: the AWD-LSTM; its last layer must give the embedding's size.
        alpha: weight of activation regularisation, mean of the squared dropped output (AR).
        beta: weight of its temporal part, mean of the squared steps of the raw output (TAR).
        softmax: of the training loss; "sampled" estimates it from a part of the vocabulary,
            "auto" does so on a CPU, where the full one is most of a small model's work.
    """

    def __init__(
        self, encoder: AWDLSTM, alpha: float = 2.0, beta: float = 1.0, softmax: Softmax = "full"
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.alpha = alpha
        self.beta = beta
        self.softmax = softmax
        self.decoder_bias = nn.Parameter(torch.zeros(encoder.architecture.vocabulary))

    @property
    def samples(self) -> bool:
        """Whether the training loss is estimated from a part of the vocabulary."""
        if self.softmax == "auto":
            return not devices.is_accelerator(self.decoder_bias.device)
        return self.softmax == "sampled"

    def loss(
        self, ids: Tensor, targets: Tensor, states: list[State]
    ) -> tuple[Tensor, Tensor, list[State]]:
        """Loss of predicting `targets` from `ids`.

        Args:
            ids: (time, batch) of int64.
            targets: (time, batch), the ids one step later.
            states: from the window before; detached here (truncated back-propagation).

        Returns:
            The loss with its regularisers, the bare cross-entropy in nats per token (both
            scalars), and the states after the window.
        """
        out = self.encoder(ids, detach(states))
        flat = out.dropped.flatten(0, 1)
        weight, bias = self.encoder.embedding, self.decoder_bias
        cross_entropy = sampled_softmax_loss if self.samples else softmax_loss
        nats = cross_entropy(flat, weight, bias, targets.flatten())
        loss = nats
        if self.alpha:
            loss = loss + self.alpha * out.dropped.float().square().mean()
        if self.beta and len(ids) > 1:
            loss = loss + self.beta * out.raw.float().diff(dim=0).square().mean()
        return loss, nats.detach(), out.states

    def nats(self, ids: Tensor, targets: Tensor, states: list[State]) -> tuple[Tensor, list[State]]:
        """``-log p(target)`` of each position, (time, batch) in fp32, and the states after.

        For evaluation, without a gradient: logits are made for `ROWS` positions at a time.
        """
        out = self.encoder(ids, states)
        flat, wanted = out.raw.flatten(0, 1), targets.flatten()
        pieces = [
            F.cross_entropy(self.logits(flat[i : i + ROWS]), wanted[i : i + ROWS], reduction="none")
            for i in range(0, len(flat), ROWS)
        ]
        return torch.cat(pieces).view(targets.shape), out.states

    def logits(self, x: Tensor) -> Tensor:
        """(batch, embedding) -> (batch, vocabulary) in fp32."""
        weight, bias = self.encoder.embedding.to(x.dtype), self.decoder_bias.to(x.dtype)
        return F.linear(x, weight, bias).float()


class PooledClassifier(nn.Module):
    """Batch norm, dropout, linear, ReLU; batch norm, dropout, linear (v2, sec. 3.3).

    Args:
        features: size of the encoder's output.
        classes: number of labels.
        hidden: size of the block between.
        dropouts: before the first and the second linear layer.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        hidden: int = 50,
        dropouts: tuple[float, float] = (0.4, 0.1),
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm1d(3 * features)
        self.linear1 = nn.Linear(3 * features, hidden)
        self.norm2 = nn.BatchNorm1d(hidden)
        self.linear2 = nn.Linear(hidden, classes)
        self.dropouts = dropouts

    def forward(self, pooled: Tensor) -> Tensor:
        """(batch, 3 features) -> logits (batch, classes), in fp32."""
        with torch.autocast(pooled.device.type, enabled=False):
            x = F.dropout(self.norm1(pooled.float()), self.dropouts[0], self.training)
            x = F.dropout(self.norm2(F.relu(self.linear1(x))), self.dropouts[1], self.training)
            logits: Tensor = self.linear2(x)
            return logits


class TextClassifier(nn.Module):
    """Encoder and head; documents of any length in chunks (BPT3C; v2, sec. 3.3).

    Args:
        encoder: the AWD-LSTM.
        head: the pooled classifier.
        chunk: steps a chunk; the state is carried from one to the next.
        pooled_tokens: only the last so many positions of a document are pooled, and it builds a
            graph only in chunks that hold such positions, whatever stands beside it: memory is
            bounded by so many positions a document.
        detach_chunks: cut the gradient of the state at each chunk's border, as the released
            scripts do. False (the paper): the gradient flows through the state into every
            chunk whose outputs were pooled.
        alpha: weight of activation regularisation over the pooled positions (`read`).
        beta: weight of its temporal part.
    """

    def __init__(
        self,
        encoder: AWDLSTM,
        head: PooledClassifier,
        *,
        chunk: int = 70,
        pooled_tokens: int = 1400,
        detach_chunks: bool = False,
        alpha: float = 0.0,
        beta: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.chunk = chunk
        self.pooled_tokens = pooled_tokens
        self.detach_chunks = detach_chunks
        self.alpha = alpha
        self.beta = beta

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(time, batch) padded at the end, lengths (batch,) >= 1 -> logits (batch, classes)."""
        logits: Tensor = self.head(self.pool(ids, lengths))
        return logits

    def pool(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The documents' vectors: (batch, 3 embedding)."""
        return self.read(ids, lengths)[0]

    def read(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The documents' vectors, (batch, 3 embedding), and the penalty on what was pooled.

        A document that has ended leaves the batch at the next chunk: padding costs no more than
        a chunk's rest, whatever the longest document. As the documents stand in the order of
        their lengths, those that wait for their first pooled position are the first ones.

        Chunks look their words up among the batch's: the gradient of the embedding matrix, zeros
        for nearly all words, is made once a batch instead of once a chunk.
        """
        lengths, order = lengths.sort(descending=True, stable=True)
        met, ids = torch.unique(ids[:, order], return_inverse=True)
        words, ends = F.embedding(met, self.encoder.embedding), lengths.tolist()
        active = waiting = len(ends)
        pool = Pool.empty(0, self.encoder.architecture.embedding, self.encoder.embedding)
        penalty = Penalty.empty(self.alpha, self.beta, self.encoder.embedding)
        states = self.encoder.initial_states(active)
        ended: list[Pool] = []
        # Else at most twice as many chunks build a graph as where all lengths are equal.
        apart = ends[0] - ends[-1] > self.pooled_tokens
        for start in range(0, ends[0], self.chunk):
            stop = start + self.chunk
            going = sum(end > start for end in ends)
            if going < active:
                ended.append(pool[going - waiting :])
                pool, states = pool[: going - waiting], [(h[:going], c[:going]) for h, c in states]
                active = going
            unopened = sum(end >= stop + self.pooled_tokens for end in ends)
            pool, waiting = pool.with_first(waiting - unopened), unopened
            before = detach(states) if self.detach_chunks else states
            out = self._read(ids[start:stop, :active], before, waiting, apart, words)
            states = out.states
            if waiting < active:
                window = start, lengths[waiting:active], self.pooled_tokens
                pool = pool.add(out.dropped[:, waiting:], *window)
                last = before[-1][0][waiting:]
                penalty = penalty.add(out.dropped[:, waiting:], out.raw[:, waiting:], last, *window)
        pieces = [piece.concatenated() for piece in (pool, *reversed(ended))]
        return torch.cat(pieces)[order.argsort()], penalty.mean()

    def _read(
        self, ids: Tensor, states: list[State], waiting: int, apart: bool, words: Tensor
    ) -> Encoded:
        """One chunk; the first `waiting` of its documents build no graph.

        Where windows lie far `apart`, what the others keep is made as small as can be.
        """
        learning = torch.is_grad_enabled() and waiting < ids.shape[1]
        rows = waiting if learning else 0
        with torch.set_grad_enabled(learning):
            encoded: Encoded = self.encoder(ids, states, rows, apart, words)
            return encoded
