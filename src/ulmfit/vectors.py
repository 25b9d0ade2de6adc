"""Texts -> document vectors: what the encoder's pooled outputs say of a whole text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle, Direction
from ulmfit.data.stream import Ids, reverse_document
from ulmfit.errors import InputError
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.reading import DocumentReader, answering_precision
from ulmfit.text.encoder import Encoder
from ulmfit.text.specials import PADDING_ID

BLOCK = 2048  # texts looked ahead: sorted by length, each distinct one computed once
NO_DROPOUT = Dropouts(0, 0, 0, 0, 0)
Readers = Mapping[Direction, DocumentReader]
Vector = NDArray[np.float32]


def document_vectors(
    bundle: Bundle,
    texts: Iterable[str],
    device: str = "auto",
    precision: devices.Precision = "auto",
) -> Iterator[Vector]:
    """The pooled vector of each text, in order; looks ahead at most `BLOCK` texts.

    Args:
        bundle: a classifier, or a language model, whose encoder has seen no label.
        texts: any number; read as the vectors are taken.
        device: where to compute.
        precision: "fp32", "bf16", "int8" or "auto" (`reading.answering_precision`).

    Returns:
        An iterator of (directions * 3 * embedding,) rows of fp32: last, maximum and mean of the
        last layer's outputs (concat pooling; v2, sec. 3.3), forward before backward.
    """
    where = devices.pick_device(device)
    precision = answering_precision(bundle, where, precision)
    readers = {
        d: DocumentReader(pooling_model(bundle, d).to(where), PADDING_ID, precision)
        for d in bundle.directions
    }
    return pooled_vectors(readers, bundle.encoder, texts)


def pooling_model(bundle: Bundle, direction: Direction) -> TextClassifier:
    """One direction's model, on the CPU, in evaluation mode; a language model's head is unused."""
    if bundle.kind == "classifier":
        return bundle.classifier(direction)
    encoder = bundle.language_model(direction, NO_DROPOUT).encoder
    unused = PooledClassifier(bundle.architecture.embedding, classes=2, hidden=1)
    return TextClassifier(encoder, unused).eval()


def pooled_vectors(readers: Readers, encoder: Encoder, texts: Iterable[str]) -> Iterator[Vector]:
    """As `document_vectors`, by readers that stand ready."""
    for block in blocks(texts):
        documents, places = encoded(encoder, block)
        rows = [reader.vectors(directed(documents, d)) for d, reader in readers.items()]
        yield from np.concatenate(rows, axis=1)[places]


def blocks(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """`BLOCK` texts at a time.

    Raises:
        InputError: as `check_several`, or one is no string.
    """
    check_several(texts)
    block: list[str] = []
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise InputError(f"text {number}: a string is wanted, not {type(text).__name__}")
        block.append(text)
        if len(block) == BLOCK:
            yield tuple(block)
            block = []
    if block:
        yield tuple(block)


def check_several(texts: Iterable[str]) -> None:
    """Raise InputError for one string, whose letters would be taken for texts."""
    if isinstance(texts, str):
        raise InputError("texts: a list of strings is wanted, not one string")


def encoded(encoder: Encoder, texts: tuple[str, ...]) -> tuple[list[Ids], NDArray[np.int64]]:
    """The ids of each distinct text, and for each text its place among them.

    Sorted, so that texts in another order are computed in the same batches, to the same bits.
    """
    distinct = {text: i for i, text in enumerate(sorted(set(texts)))}
    coded = encoder.encode_batch(list(distinct))
    documents = [ids.astype(np.int64) for ids in np.split(coded.ids, coded.offsets[1:-1])]
    return documents, np.array([distinct[text] for text in texts])


def directed(documents: list[Ids], direction: Direction) -> list[Ids]:
    """The documents as a model of that direction reads them."""
    return [reverse_document(d) for d in documents] if direction == "backward" else documents
