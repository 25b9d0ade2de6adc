"""Texts -> answers: probabilities, labels or values; both directions averaged (v2, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle
from ulmfit.errors import InputError
from ulmfit.manifest import TargetConfig
from ulmfit.reading import DocumentReader, answering_precision
from ulmfit.targets.answers import probabilities, values
from ulmfit.targets.decisions import confidence, decide
from ulmfit.targets.kinds import Floats
from ulmfit.text.specials import PADDING_ID
from ulmfit.vectors import BLOCK as BLOCK
from ulmfit.vectors import Vector, blocks, directed, encoded, pooled_vectors


@dataclass(frozen=True)
class Answer:
    """What a model says of one text."""

    label: str | tuple[str, ...] | float | None
    """the label; of a multi-label model all that apply, of a real-valued one the value; None where
    the model is not sure enough to answer"""
    probabilities: Floats | None
    """(classes,), in the order of the labels; None of a real value"""
    confidence: float | None
    """how probable it is that the label (or the whole set) is right; None of a real value"""


class Predictor:
    """A classifier's models, built once: `models` by direction, `encoder`, `labels`, `target`,
    and the `precision` that they read in.

    Args:
        bundle: a classifier.
        device: "auto", "cpu", "cuda", ...
        precision: "fp32" (the same text gives the same answer to 1e-5 in any batch), "bf16"
            (faster where the machine has it), "int8" (on a CPU; the fastest), or "auto": int8
            where the model was found to answer alike in it, else fp32.

    Raises:
        InputError: the bundle is no classifier, or there is no such precision on the device.
    """

    def __init__(
        self, bundle: Bundle, device: str = "auto", precision: devices.Precision = "auto"
    ) -> None:
        bundle.require("classifier")
        self.labels = bundle.labels
        self.target = bundle.target
        self.encoder = bundle.encoder
        where = devices.pick_device(device)
        self.models = {d: bundle.classifier(d).to(where) for d in bundle.directions}
        self.precision = answering_precision(bundle, where, precision)
        self._readers = {
            d: DocumentReader(model, PADDING_ID, self.precision) for d, model in self.models.items()
        }

    def probabilities(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        """One row (classes,) for each text, in order; looks ahead at most `BLOCK` texts.

        A row sums to 1, but that of a multi-label model, whose classes do not exclude each other.

        Raises:
            InputError: the target is real-valued.
        """
        self._require_classes()
        return (row for block in self._blocks(texts) for row in self._rows(block))

    def values(self, texts: Iterable[str]) -> Iterator[float]:
        """The value of each text, in order, in the units it was learned in.

        Raises:
            InputError: the target is not real-valued.
        """
        if self.target.kind != "real":
            raise InputError(f"this model tells labels ({self.target.kind}), not values")
        target = self.target
        return (
            float(value)
            for block in self._blocks(texts)
            for value in values(block, target.mean, target.scale)
        )

    def answers(self, texts: Iterable[str], abstain_below: float | None = None) -> Iterator[Answer]:
        """What the model says of each text, in order.

        Args:
            texts: any number; read as the answers are taken.
            abstain_below: leave open what is less probable to be right; None takes the model's
                own border, if it has one; 0 answers everything.

        Raises:
            InputError: a border that is no probability, or of a real-valued target.
        """
        if self.target.kind == "real":
            if abstain_below:
                raise InputError("a real-valued target has no probabilities to abstain by")
            return (Answer(value, None, None) for value in self.values(texts))
        border = self.target.abstain_below if abstain_below is None else abstain_below
        if border is not None and not 0 <= border <= 1:
            raise InputError(f"abstain below {border}: a number from 0 to 1 is needed")
        blocks = self._blocks(texts)
        least = border or 0.0
        return (a for block in blocks for a in answers(block, self.labels, self.target, least))

    def logits(self, texts: Iterable[str]) -> Iterator[Floats]:
        """What the heads say of each text, in order: (directions, outputs), no temperature."""
        return (row for block in self._blocks(texts) for row in block)

    def vectors(self, texts: Iterable[str]) -> Iterator[Vector]:
        """The pooled vector of each text, in order (`vectors.document_vectors`)."""
        return pooled_vectors(self._readers, self.encoder, texts)

    def _require_classes(self) -> None:
        if self.target.kind == "real":
            raise InputError("this model tells real values, not probabilities of labels")

    def _blocks(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Logits (texts, directions, outputs) of the texts of each block."""
        for block in blocks(texts):
            documents, places = encoded(self.encoder, block)
            by_direction = [r.logits(directed(documents, d)) for d, r in self._readers.items()]
            yield np.stack(by_direction, 1)[places]

    def _rows(self, logits: Floats) -> Floats:
        return probabilities(logits, self.target.kind, self.target.temperature)


def answers(
    logits: Floats, labels: Sequence[str], target: TargetConfig, abstain_below: float = 0.0
) -> Iterator[Answer]:
    """What a model's outputs say of each text.

    Args:
        logits: (texts, directions, outputs).
        labels: names of the classes.
        target: what the outputs mean.
        abstain_below: leave open what is less probable to be right.
    """
    if target.kind == "real":
        found = values(logits, target.mean, target.scale)
        yield from (Answer(float(value), None, None) for value in found)
        return
    rows = probabilities(logits, target.kind, target.temperature)
    decided = decide(rows, target.kind, target.thresholds)
    sure = confidence(rows, decided, target.kind)
    for row, choice, how_sure in zip(rows, decided, sure, strict=True):
        if how_sure < abstain_below:
            yield Answer(None, row, float(how_sure))
        elif target.kind == "multi":
            several = tuple(labels[int(i)] for i in np.flatnonzero(choice))
            yield Answer(several, row, float(how_sure))
        else:
            yield Answer(labels[int(choice)], row, float(how_sure))


def predict(
    bundle: Bundle,
    texts: Iterable[str],
    device: str = "auto",
    precision: devices.Precision = "auto",
) -> Iterator[NDArray[np.float64]]:
    """Probabilities of each text, in order: the i-th answer belongs to the i-th text.

    Args:
        bundle: a classifier.
        texts: any number; read as the answers are taken.
        device: where to compute.
        precision: "fp32", "bf16", "int8" or "auto".

    Returns:
        An iterator of (classes,) rows in the order of `bundle.labels`, each summing to 1 (but of
        a multi-label model).

    Raises:
        InputError: the bundle is no classifier, or its target is real-valued.
    """
    return Predictor(bundle, device, precision).probabilities(texts)
