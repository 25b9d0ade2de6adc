"""The dropouts of AWD-LSTM (Merity et al. 2017, sec. 3): locked, embedding, weight.

Each is a pure function; with ``training=False`` or ``p=0`` each returns its input unchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ulmfit import device as devices
from ulmfit.model.native.drops import DRAWS, LEVELS, can_drop, drop


@dataclass(frozen=True)
class Dropouts:
    """Probabilities in [0, 1). Default: the language model of v1 and v2 (PAPER, Method)."""

    output: float = 0.4
    """locked dropout on the last layer's output"""
    hidden: float = 0.3
    """locked dropout between layers"""
    input: float = 0.4
    """locked dropout on the embedded words"""
    embedding: float = 0.05
    """whole words dropped from the embedding matrix"""
    weight: float = 0.5
    """single recurrent weights dropped"""

    def scaled(self, factor: float) -> Dropouts:
        """All five times `factor` (the scripts' ``drop_mult``)."""
        return Dropouts(
            self.output * factor,
            self.hidden * factor,
            self.input * factor,
            self.embedding * factor,
            self.weight * factor,
        )


def keep_mask(shape: tuple[int, ...], p: float, like: Tensor) -> Tensor:
    """A mask of `like`'s type and place: 0 with probability p, else 1 / (1 - p).

    Why it is not `bernoulli_`: on a CPU that draws one number after the other, which was a
    quarter of a classifier's step; here one number of 64 bits draws four.
    """
    if devices.is_accelerator(like.device):
        return like.new_empty(shape).bernoulli_(1 - p).div_(1 - p)
    count, dropped = math.prod(shape), _levels(p)
    drawn = torch.empty(-(-count // DRAWS), dtype=torch.int64).random_(-(2**63), None)
    kept = drawn.view(torch.int16)[:count].view(shape) >= dropped - LEVELS // 2
    return kept.to(like.dtype).mul_(LEVELS / (LEVELS - dropped))


def locked_dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Drop the same features at every time step (Gal and Ghahramani 2016).

    Args:
        x: (time, batch, features).
        p: probability that a feature of a sequence is dropped; the rest is scaled by 1/(1-p).
        training: False returns `x`.
    """
    if not training or p == 0:
        return x
    return x * keep_mask((1, x.shape[1], x.shape[2]), p, x)


def embed_with_dropout(ids: Tensor, weight: Tensor, p: float, training: bool) -> Tensor:
    """Embed `ids`, with whole rows (words) of the matrix dropped for this pass.

    The mask is drawn per word and looked up per position: the same result as masking the
    matrix (vocabulary, features) itself, without touching all of it.

    Args:
        ids: (time, batch) of int64.
        weight: (vocabulary, features).
        p: probability that a word is dropped; the rest is scaled by 1/(1-p).
        training: False embeds without a mask.

    Returns:
        (time, batch, features).
    """
    embedded = F.embedding(ids, weight)
    if not training or p == 0:
        return embedded
    return embedded * F.embedding(ids, keep_mask((len(weight), 1), p, weight))


def weight_dropout(weight: Tensor, p: float, training: bool, dtype: torch.dtype) -> Tensor:
    """DropConnect on a recurrent matrix: one mask for all time steps of a pass.

    A function of the weight, so that the gradient reaches the one true parameter.

    Args:
        weight: (4 hidden, hidden).
        p: probability that a number is dropped; the rest is scaled by 1/(1-p).
        training: False drops nothing.
        dtype: what the result is computed with in.
    """
    if not training or p == 0:
        return weight.to(dtype)
    if not can_drop(weight, dtype):
        return (weight * keep_mask(tuple(weight.shape), p, weight)).to(dtype)
    dropped: Tensor = _Dropped.apply(weight, _levels(p), dtype)  # type: ignore[no-untyped-call]
    return dropped


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, dropped: int, dtype: torch.dtype) -> Tensor:
        seed = int(torch.empty((), dtype=torch.int64).random_(-(2**63), None))
        ctx.given = dropped, seed, weight.dtype
        return drop(weight, dropped, seed, dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return drop(grads[0], *ctx.given), None, None


def _levels(p: float) -> int:
    """A probability as a whole number of `LEVELS`, less than all."""
    return min(round(p * LEVELS), LEVELS - 1)
