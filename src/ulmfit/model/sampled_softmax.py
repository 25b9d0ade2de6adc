"""Cross-entropy over a sample of a large vocabulary: an estimate for training, cheap on a CPU.

Why it is fast: a full softmax multiplies every position with every word. Ids stand in order of
frequency, so the first `HEAD` words carry about four fifths of a text's probability: they are all
kept, and of the rare rest one sample of `SAMPLE` words is drawn a call, each standing for many
(Horvitz and Thompson 1952; Jean et al. 2015, sec. 3, who sample the whole vocabulary). A position
whose target is a rare word meets that target exactly. The sum over the vocabulary is estimated
without bias; its logarithm, the loss, is a little too small on average. Evaluation stays exact.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from ulmfit.model.logits import chunk_rows, with_bias
from ulmfit.model.products import product
from ulmfit.model.softmax import fused_loss

HEAD = 2048
SAMPLE = 2047  # one less: with the column of the rare targets, a width that suits the kernels


def sampled_softmax_loss(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    head: int | None = None,
    sample: int | None = None,
) -> Tensor:
    """Estimated mean of ``-log softmax(x @ weight.T + bias)[target]``; gradients to all three.

    Args:
        x: (positions, features).
        weight: (vocabulary, features), rows in order of falling frequency.
        bias: (vocabulary,).
        targets: (positions,) of int64.
        head: words that are always counted; None: `HEAD`.
        sample: words drawn from the rest, without replacement, by torch's CPU generator;
            None: `SAMPLE`.

    Returns:
        A scalar in nats; exact when `head` and `sample` cover the vocabulary.
    """
    head = min(HEAD if head is None else head, len(weight))
    sample = SAMPLE if sample is None else sample
    drawn = head + torch.randperm(len(weight) - head)[:sample].to(x.device)
    return fused_loss(partial(_loss_and_gradients, drawn, head), x, weight, bias, targets)


def _loss_and_gradients(
    drawn: Tensor,
    head: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    n, features = x.shape
    words = torch.cat([torch.arange(head, device=x.device), drawn])
    stands_for = torch.zeros(len(words), device=x.device)
    if len(drawn):
        stands_for[head:] = math.log((len(weight) - head) / len(drawn))
    x_low = with_bias(x, torch.ones_like(x[:, :1]), dtype)
    w_low = with_bias(weight[words], bias[words] + stands_for, dtype)
    w_low = torch.cat([w_low, w_low.new_zeros(1, w_low.shape[1])])  # the rare targets' column
    own, column, twice = _targets(targets, words, head, len(weight))
    t_low = with_bias(weight[targets], bias[targets], dtype)
    own_logit = (x_low * t_low).sum(1, dtype=torch.float32).masked_fill(~own, -torch.inf)
    rows = chunk_rows(x_low, len(w_low))
    g_x = torch.empty(x_low.shape, device=x.device)
    g_w = torch.zeros(w_low.shape, device=x.device)
    p_own = torch.empty(n, device=x.device)
    loss = torch.zeros((), device=x.device)
    for start in range(0, n, rows):
        chunk = slice(start, start + rows)
        p = product(x_low[chunk], w_low.t())
        p[:, -1] = own_logit[chunk]
        p[twice[chunk].nonzero()[:, 0], column[chunk][twice[chunk]]] = -torch.inf
        torch.softmax(p, 1, out=p)
        p_own[chunk] = p[:, -1]
        target = torch.where(own[chunk], len(words), column[chunk])[:, None]
        loss -= p.gather(1, target).float().clamp_min_(1e-30).log().sum()
        g_x[chunk] = product(p, w_low)
        g_w += product(p.t(), x_low[chunk])
    error = p_own - 1  # of the target's own row; a common target's probability is in g_x already
    g_x += error[:, None] * t_low
    g_weight = torch.zeros(len(weight), x_low.shape[1], device=x.device)
    g_weight[words] = g_w[:-1]
    g_weight.index_add_(0, targets, error[:, None] * x_low.float())
    g_x, g_weight = g_x.div_(n), g_weight.div_(n)
    return loss / n, g_x[:, :features], g_weight[:, :features], g_weight[:, features]


def _targets(
    targets: Tensor, words: Tensor, head: int, vocabulary: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Which targets are rare, each one's column among `words`, and which rare ones were drawn too.

    A rare target that was drawn must not be counted twice, so its column is emptied.
    """
    columns = torch.full((vocabulary,), -1, device=words.device)
    columns[words] = torch.arange(len(words), device=words.device)
    column, rare = columns[targets], targets >= head
    return rare, column.clamp_min(0), rare & (column >= 0)
