"""Texts -> probabilities; forward and backward models averaged (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle
from ulmfit.data.stream import Ids, reverse_document
from ulmfit.tasks import classify_documents
from ulmfit.text.specials import PADDING_ID

BLOCK = 2048  # texts looked ahead: sorted by length, each distinct one computed once


class Predictor:
    """A classifier's models, built once.

    Args:
        bundle: a classifier.
        device: "auto", "cpu", "cuda", ...
        precision: "fp32" (the same text gives the same answer to 1e-5 in any batch), "bf16"
            (faster where the machine has it), or "auto".

    Raises:
        InputError: the bundle is no classifier.
    """

    def __init__(
        self, bundle: Bundle, device: str = "auto", precision: devices.Precision = "fp32"
    ) -> None:
        bundle.require("classifier")
        self.labels = bundle.labels
        self._encoder = bundle.encoder
        self._precision = precision
        where = devices.pick_device(device)
        self._models = {d: bundle.classifier(d).to(where) for d in bundle.directions}

    def probabilities(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        """One row (classes,) for each text, in order; looks ahead at most `BLOCK` texts."""
        for block in _blocks(texts):
            yield from self._block(block)

    def _block(self, texts: tuple[str, ...]) -> NDArray[np.float64]:
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        encoded = self._encoder.encode_batch(list(distinct))
        borders = encoded.offsets[1:-1]
        documents = [ids.astype(np.int64) for ids in np.split(encoded.ids, borders)]
        answers = [self._answers(d, documents) for d in self._models]
        mean = np.mean(answers, axis=0)
        rows: NDArray[np.float64] = mean[[distinct[text] for text in texts]]
        return rows

    def _answers(self, direction: str, documents: list[Ids]) -> NDArray[np.float64]:
        if direction == "backward":
            documents = [reverse_document(d) for d in documents]
        model = self._models[direction]  # type: ignore[index]
        return classify_documents(model, documents, PADDING_ID, self._precision)


def _blocks(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    block: list[str] = []
    for text in texts:
        block.append(text)
        if len(block) == BLOCK:
            yield tuple(block)
            block = []
    if block:
        yield tuple(block)


def predict(
    bundle: Bundle,
    texts: Iterable[str],
    device: str = "auto",
    precision: devices.Precision = "fp32",
) -> Iterator[NDArray[np.float64]]:
    """Probabilities of each text, in order: the i-th answer belongs to the i-th text.

    Args:
        bundle: a classifier.
        texts: any number; read as the answers are taken.
        device: where to compute.
        precision: "fp32", "bf16" or "auto".

    Returns:
        An iterator of (classes,) rows in the order of `bundle.labels`, each summing to 1.

    Raises:
        InputError: the bundle is no classifier.
    """
    return Predictor(bundle, device, precision).probabilities(texts)
