"""Texts -> probabilities; forward and backward models averaged (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle
from ulmfit.tasks import classify_documents
from ulmfit.text.specials import PADDING_ID
from ulmfit.vectors import BLOCK as BLOCK
from ulmfit.vectors import Vector, blocks, directed, encoded, pooled_vectors


class Predictor:
    """A classifier's models, built once: `models` by direction, `encoder`, `labels`.

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
        self.target = bundle.target
        self.encoder = bundle.encoder
        self._precision = precision
        where = devices.pick_device(device)
        self.models = {d: bundle.classifier(d).to(where) for d in bundle.directions}

    def probabilities(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        """One row (classes,) for each text, in order; looks ahead at most `BLOCK` texts."""
        for block in blocks(texts):
            documents, places = encoded(self.encoder, block)
            answers = [
                classify_documents(model, directed(documents, d), PADDING_ID, self._precision)
                for d, model in self.models.items()
            ]
            yield from np.mean(answers, axis=0)[places]

    def vectors(self, texts: Iterable[str]) -> Iterator[Vector]:
        """The pooled vector of each text, in order (`vectors.document_vectors`)."""
        return pooled_vectors(self.models, self.encoder, texts, self._precision)


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
