"""Texts -> ids on disk: where the rooms `text` and `data` meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ulmfit.data.stream import Documents
from ulmfit.errors import InputError
from ulmfit.text.encoder import Encoder
from ulmfit.text.id_files import IdStats, write_ids

COUNTED = 1 << 22  # ids at a time
HELD_OUT_SEED = 0  # draws what is held out
MAX_VALID_TOKENS = 250_000  # enough for a perplexity to 1%; more only costs time


@dataclass(frozen=True)
class Corpus:
    """Encoded documents on disk, read through memory maps."""

    folder: Path
    ids: NDArray[np.unsignedinteger]
    offsets: NDArray[np.int64]
    stats: IdStats

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(documents,) tokens of each."""
        return np.diff(self.offsets)

    def each(self) -> list[NDArray[np.int64]]:
        """The documents one by one, in memory."""
        return np.split(self.ids.astype(np.int64), self.offsets[1:-1])

    def documents(
        self, order: NDArray[np.int64] | None = None, backward: bool = False
    ) -> Documents:
        """The documents (or those that `order` names) as one stream."""
        return Documents(self.ids, self.offsets, order, backward)


def prepare(
    texts: Iterable[str],
    encoder: Encoder,
    folder: Path,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Corpus:
    """Encode `texts` into `folder`, or open what an earlier, finished call left there.

    Raises:
        InputError: there is no text.
    """
    if not (folder / "stats.json").exists():
        write_ids(texts, encoder, folder, workers=workers, progress=progress)
    return open_corpus(folder)


def open_corpus(folder: Path) -> Corpus:
    """Open what `prepare` wrote.

    Raises:
        InputError: `folder` holds no encoded corpus, or an empty one.
    """
    try:
        told = json.loads((folder / "stats.json").read_text("utf8"))
        stats = IdStats(**{name: int(told[name]) for name in IdStats.__dataclass_fields__})
        if stats.tokens <= stats.documents:
            raise InputError("the corpus holds no words: every text is empty, or there is none")
        ids = np.memmap(folder / "ids.bin", dtype=np.dtype(told["dtype"]), mode="r")
        offsets = np.load(folder / "offsets.npy", allow_pickle=False)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: not an encoded corpus ({error})") from None
    if len(offsets) != stats.documents + 1 or not len(ids) == offsets[-1] == stats.tokens:
        raise InputError(
            f"{folder}: {len(ids)} ids on disk, stats.json says {stats.tokens} in "
            f"{stats.documents} documents: cut or changed; delete the folder to encode again"
        )
    return Corpus(folder, ids, offsets, stats)


def word_counts(
    corpus: Corpus, vocabulary: int, documents: NDArray[np.int64] | None = None
) -> Tensor:
    """(vocabulary,) fp32: how often each id stands in the corpus, or in the documents named."""
    stream = corpus.documents(documents)
    counts = np.zeros(vocabulary)
    for start in range(0, len(stream), COUNTED):
        ids = stream.read(start, min(start + COUNTED, len(stream)))
        counts += np.bincount(ids, minlength=vocabulary)
    return torch.from_numpy(counts).float()


def split_documents(
    lengths: NDArray[np.int64], fraction: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(training, validation) document numbers, drawn at random, each in rising order.

    The draw is the same in every run on a corpus, whatever the run's seed: a model that goes on
    from another one is not measured on what the first one has read.

    Validation gets `fraction` of the documents, at most `MAX_VALID_TOKENS` tokens, and none
    where there is but one document or the others are all empty. Of documents of very different
    lengths it gets those that leave most of the tokens for training.
    """
    order = np.random.default_rng(HELD_OUT_SEED).permutation(len(lengths))
    wanted = min(max(1, round(fraction * len(order))), len(order) - 1) if fraction else 0
    most = _most_held_out(lengths, fraction)
    valid = order[lengths[order] <= most][:wanted]
    within = np.cumsum(lengths[valid]) <= min(most, MAX_VALID_TOKENS)
    valid = np.sort(valid[: max(int(within.sum()), min(1, wanted))])
    train = np.delete(np.arange(len(lengths)), valid)
    if lengths[train].max(initial=0) <= 1:  # xxbos alone: nothing to learn from
        return np.arange(len(lengths)), valid[:0]
    return train, valid


def _most_held_out(lengths: NDArray[np.int64], fraction: float) -> float:
    """Tokens that validation may have: twice the fraction, which a draw of like documents never is.

    Of a few documents each may be more than that; then the shortest will do, and what is like it.
    """
    total = int(lengths.sum())
    shortest = int(lengths.min(initial=total, where=lengths > 1))
    return 2 * max(fraction * total, shortest)
