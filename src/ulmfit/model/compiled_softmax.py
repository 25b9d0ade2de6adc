"""The softmax's loss by compiled products, whose sums become exponentials where they stand.

Why it is fast: logits are never written. While their sums are in the first cache they become
exp(logit - highest), are added up and rounded to bf16; there is no pass over the chunk that only
makes a softmax of it. The division by a row's total is spared, too: it is done to the rows of what
the exponentials are multiplied with, or of what comes out. Probabilities are of logits in fp32, and
so better than those of logits in bf16.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ulmfit.model.logits import chunk_rows, with_bias
from ulmfit.model.native.matrices import Matrices, Panels

FIRST = 64  # words whose highest logit stands for a row's: the first are the most frequent
BEYOND = 1e17  # a total of so much tells that some logit was 39 above, where exponents are cut


def by_exponentials(
    matrices: Matrices, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean of ``-log softmax(x @ weight.T + bias)[target]`` and its gradients in fp32.

    Args:
        matrices: the compiled products.
        x: (positions, features) of bf16.
        weight: (vocabulary, features) of bf16.
        bias: (vocabulary,) of fp32.
        targets: (positions,) of int64.

    Returns:
        The loss in nats, and the gradients to x, weight and bias.
    """
    n, features = x.shape
    words, back = matrices.packed(weight.t()), matrices.packed(weight)
    first = matrices.packed(weight[:FIRST].t())
    size = chunk_rows(x, len(weight))
    buffer = x.new_empty(size, len(weight))
    loss, g_x = torch.zeros(()), torch.empty(x.shape)
    g_w: Tensor | None = None
    for start in range(0, n, size):
        rows, wanted = x[start : start + size], targets[start : start + size]
        own, p = weight[wanted].float(), buffer[: len(rows)]
        highest, totals = _exponentials(matrices, rows, first, words, bias, p)
        loss += (totals.log() + highest - bias[wanted] - (rows * own).sum(1)).sum()
        share = 1 / (totals * n)
        g = matrices.sums(p, back).mul_(share[:, None])
        torch.sub(g, own, alpha=1 / n, out=g_x[start : start + len(rows)])
        shared = matrices.packed(with_bias(rows * share[:, None], share, x.dtype))
        g_w = matrices.sums(p.t(), shared, g_w)
    assert g_w is not None
    # The one at each target is subtracted here, as rows: scattering it into the buffer is slow.
    g_w.index_add_(0, targets, with_bias(x, x.new_ones(n), torch.float32), alpha=-1 / n)
    return loss / n, g_x, g_w[:, :features], g_w[:, features]


def _exponentials(
    matrices: Matrices, x: Tensor, first: Panels, words: Panels, bias: Tensor, out: Tensor
) -> tuple[Tensor, Tensor]:
    """exp(logit - highest) into `out` (rows, vocabulary); highest and the total of each row."""
    highest = matrices.sums(x, first).add_(bias[: first.columns]).amax(1)
    totals = matrices.exponentials(x, words, bias, highest, out)
    if not bool((totals < BEYOND).all()):
        highest = matrices.sums(x, words).add_(bias).amax(1)
        totals = matrices.exponentials(x, words, bias, highest, out)
    return highest, totals
