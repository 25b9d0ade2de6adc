"""Documents of very different lengths -> batches with little padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulmfit.data.stream import Ids

POOL = 50  # batches sorted together: nearly sorted, still shuffled


@dataclass(frozen=True)
class Batch:
    """Documents padded at the end."""

    ids: Ids
    """(time, batch)"""
    lengths: Ids
    """(batch,) true lengths"""
    rows: Ids
    """(batch,) which documents these are"""


def pad(documents: Sequence[Ids], rows: Ids, pad_id: int) -> Batch:
    """The documents numbered `rows` as one block, as long as the longest of them."""
    chosen = [documents[r] for r in rows]
    lengths = np.array([len(d) for d in chosen], np.int64)
    block = np.full((lengths.max(), len(chosen)), pad_id, np.int64)
    for column, document in enumerate(chosen):
        block[: len(document), column] = document
    return Batch(block, lengths, rows)


def training_order(lengths: NDArray[np.int64], batch: int, seed: int) -> list[Ids]:
    """Which documents stand together in one epoch.

    Shuffled, then sorted by length within pools of `POOL` batches, then the batches are
    shuffled: little padding, and an order that differs by seed. A last batch of one document
    joins its neighbour, as batch norm needs two.

    Args:
        lengths: (documents,).
        batch: documents a batch, at least 2.
        seed: draws the order.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(lengths))
    batches: list[Ids] = []
    for start in range(0, len(order), batch * POOL):
        pool = order[start : start + batch * POOL]
        pool = pool[np.argsort(-lengths[pool], kind="stable")]
        batches += [pool[i : i + batch] for i in range(0, len(pool), batch)]
    single = [b for b in batches if len(b) == 1]
    batches = [b for b in batches if len(b) > 1] or single
    if single and batches is not single:
        batches[-1] = np.concatenate([batches[-1], *single])
    return [batches[i] for i in generator.permutation(len(batches))]


def inference_order(lengths: NDArray[np.int64], max_tokens: int) -> Iterator[Ids]:
    """Documents by length, as many at a time as `max_tokens` padded positions hold (>= 1)."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, max_tokens // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size
