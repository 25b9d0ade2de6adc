"""Moving a trained model to a new vocabulary, by name (v2, sec. 3.2; the released scripts)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def transfer_rows(rows: Tensor, old: Sequence[str], new: Sequence[str]) -> Tensor:
    """Rows for the words of `new`: a known word keeps its row, a new one takes the mean row.

    Args:
        rows: (len(old), ...) an embedding matrix or a decoder bias.
        old: the words of `rows`, in its order.
        new: the words wanted.

    Returns:
        (len(new), ...), a new tensor.

    Raises:
        ValueError: `rows` and `old` differ in length.
    """
    if len(rows) != len(old):
        raise ValueError(f"{len(rows)} rows for a vocabulary of {len(old)} words")
    place = {word: i for i, word in enumerate(old)}
    index = torch.tensor([place.get(word, len(old)) for word in new], dtype=torch.int64)
    return torch.cat([rows, rows.mean(0, keepdim=True)])[index]
