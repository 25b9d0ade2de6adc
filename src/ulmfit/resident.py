"""A corpus on the device that trains, so that it never waits for its next window (floor 2).

Why it is fast: an epoch's stream is put together there once, by one gather; a window is then a
view of it. On the host, a batch is cut out of as many documents as it has rows, copied, and sent:
milliseconds in which a GPU would stand still. An id takes four bytes there, two on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ulmfit import device as devices
from ulmfit.corpus import Corpus
from ulmfit.data.stream import BPTTStream

BYTES = 40  # of the device's memory a token, at most: ids, the stream, and while it is gathered
GATHERED = 1 << 24  # tokens gathered at a time


@dataclass(frozen=True)
class ResidentWindow:
    """As `data.stream.Window`: ids and the ids one step later, both (time, batch), on the device.

    They are views of int32 numbers.
    """

    ids: Tensor
    targets: Tensor


class ResidentCorpus:
    """The ids and borders of `corpus` on `device`."""

    def __init__(self, corpus: Corpus, device: torch.device) -> None:
        ids = torch.from_numpy(corpus.ids.astype(np.int32))
        self._ids = ids.to(device)
        self._offsets = torch.from_numpy(corpus.offsets.astype(np.int64)).to(device)

    def stream(self, order: NDArray[np.int64], backward: bool = False) -> Tensor:
        """The documents that `order` names, one after the other: what `Documents` reads."""
        which = torch.from_numpy(order).to(self._ids.device)
        starts, lengths = self._offsets[which], self._offsets.diff()[which]
        ends = lengths.cumsum(0).cpu().numpy()  # of each document, in the stream
        cuts = np.searchsorted(ends, np.arange(GATHERED, int(ends[-1]), GATHERED)) + 1
        borders = np.unique([0, *cuts, len(order)]).tolist()
        parts = [self._gathered(starts[a:b], lengths[a:b], backward) for a, b in pairwise(borders)]
        return torch.cat(parts)

    def _gathered(self, starts: Tensor, lengths: Tensor, backward: bool) -> Tensor:
        """Whole documents; each keeps its first token in front when it is read backward."""
        first = starts.repeat_interleave(lengths)
        before = (lengths.cumsum(0) - lengths).repeat_interleave(lengths)
        place = torch.arange(len(first), device=first.device) - before
        if backward:
            place = torch.where(place == 0, 0, lengths.repeat_interleave(lengths) - place)
        return self._ids[first + place]


def resident_windows(
    stream: Tensor, plan: BPTTStream, batch: int, start: int = 0
) -> Iterator[ResidentWindow]:
    """The windows that `plan.windows(start)` gives, cut out of `ResidentCorpus.stream`."""
    size = batch * plan.row_length
    ids = stream[:size].view(batch, plan.row_length).t()
    targets = stream[1 : size + 1].view(batch, plan.row_length).t()
    for begin, end in zip(plan.borders[start:-1], plan.borders[start + 1 :], strict=True):
        yield ResidentWindow(ids[begin:end], targets[begin:end])


def has_room(device: torch.device, corpus: Corpus) -> bool:
    """Whether the device has memory of its own of which the corpus would take half at most."""
    return 2 * BYTES * len(corpus.ids) <= devices.spare_memory(device)
