"""What a classifier makes of a document's positions: concat pooling, and a penalty on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Pool:
    """Running concat pooling over the chunks of a batch (v2, sec. 3.3). All (batch, features)."""

    last: Tensor
    maximum: Tensor
    total: Tensor
    count: Tensor

    @classmethod
    def empty(cls, batch: int, features: int, like: Tensor) -> Pool:
        """Before the first chunk."""
        zero = like.new_zeros(batch, features, dtype=torch.float32)
        count = like.new_zeros(batch, 1, dtype=torch.float32)
        return cls(zero, torch.full_like(zero, -torch.inf), zero, count)

    def __getitem__(self, rows: slice) -> Pool:
        """Some of the batch's documents."""
        return Pool(self.last[rows], self.maximum[rows], self.total[rows], self.count[rows])

    def with_first(self, documents: int) -> Pool:
        """With so many documents before the others, of which nothing was pooled yet."""
        if not documents:
            return self
        new = Pool.empty(documents, self.last.shape[1], self.last)
        return Pool(
            torch.cat([new.last, self.last]),
            torch.cat([new.maximum, self.maximum]),
            torch.cat([new.total, self.total]),
            torch.cat([new.count, self.count]),
        )

    def add(self, h: Tensor, first: int, lengths: Tensor, cap: int) -> Pool:
        """Take in one chunk.

        Args:
            h: (time, batch, features), outputs of the last layer.
            first: position in the documents of the chunk's first step.
            lengths: (batch,) true lengths; later positions are padding and never seen.
            cap: only the last `cap` positions of each document are pooled.
        """
        position = _positions(first, h)
        inside = _pooled(position, lengths, cap)
        h = h.float()
        at_end = (position == lengths - 1)[:, :, None]
        return Pool(
            self.last + (h * at_end).sum(0),
            torch.maximum(self.maximum, h.masked_fill(~inside, -torch.inf).amax(0)),
            self.total + (h * inside).sum(0),
            self.count + inside.sum(0),
        )

    def concatenated(self) -> Tensor:
        """[last, max, mean]: (batch, 3 features)."""
        return torch.cat([self.last, self.maximum, self.total / self.count], 1)


@dataclass
class Penalty:
    """Running activation regularisation of the pooled positions (Merity et al. 2017, sec. 4.6).

    `alpha` times the mean of the squared outputs after dropout and `beta` times that of the squared
    steps of those before it: what the scripts keep from the language model's training in the
    classifier's (`seq2seq_reg`).
    """

    alpha: float
    beta: float
    sums: Tensor
    """(2,), of the squared outputs and of the squared steps"""
    counts: Tensor
    """(2,), how many they are"""

    @classmethod
    def empty(cls, alpha: float, beta: float, like: Tensor) -> Penalty:
        """Before the first chunk."""
        zeros = like.new_zeros(2, dtype=torch.float32)
        return cls(alpha, beta, zeros, zeros)

    def add(
        self, dropped: Tensor, raw: Tensor, last: Tensor, first: int, lengths: Tensor, cap: int
    ) -> Penalty:
        """Take in one chunk; of layers that are frozen there is nothing to take.

        Args:
            dropped: (time, batch, features), outputs of the last layer after its dropout.
            raw: the same before it.
            last: (batch, features), the raw output before the chunk.
            first: as `Pool.add`, like the rest.
            lengths: (batch,).
            cap: only the last `cap` positions of each document count.
        """
        if not (self.alpha or self.beta) or not raw.requires_grad:
            return self
        position, raw = _positions(first, raw), raw.float()
        inside = _pooled(position, lengths, cap)
        both = inside & _pooled(position - 1, lengths, cap) & (position > 0)[:, :, None]
        step = torch.cat([last.float()[None], raw]).diff(dim=0)
        sums = [(dropped.float() * inside).square().sum(), (step * both).square().sum()]
        counts = torch.stack([inside.sum(), both.sum()]) * raw.shape[2]
        return Penalty(self.alpha, self.beta, self.sums + torch.stack(sums), self.counts + counts)

    def mean(self) -> Tensor:
        """A scalar; 0 where nothing was taken in."""
        means = self.sums / self.counts.clamp(min=1)
        return self.alpha * means[0] + self.beta * means[1]


def _positions(first: int, h: Tensor) -> Tensor:
    """Of a chunk's steps in the documents: (time, 1)."""
    return torch.arange(first, first + len(h), device=h.device)[:, None]


def _pooled(position: Tensor, lengths: Tensor, cap: int) -> Tensor:
    """Which positions are pooled: (time, batch, 1)."""
    return ((position < lengths) & (position >= lengths - cap))[:, :, None]
