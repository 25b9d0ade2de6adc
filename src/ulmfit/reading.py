"""Documents -> what the encoder and the head say of them, the fastest way that is right here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit.bundle import Bundle
from ulmfit.data.batches import inference_order, pad
from ulmfit.data.stream import Ids
from ulmfit.errors import InputError
from ulmfit.model.fast_inference import (
    FastEncoder,
    fastest_path,
    int8_is_fast,
    int8_levels,
)
from ulmfit.model.heads import TextClassifier
from ulmfit.model.native.layers import Kind

INFERENCE_TOKENS = 16_384  # padded positions in a batch of torch's

Floats = NDArray[np.float32]
Pool = Callable[[Sequence[Ids]], Floats]
Head = Callable[[Floats], Floats]


def answering_precision(
    bundle: Bundle, device: torch.device, asked: devices.Precision
) -> devices.Precision:
    """What a bundle's documents are read in: what was asked for, or what "auto" means here.

    That is int8 where a CPU is fast at it and training found that the classifier answers alike
    in it (`stages.deciding.in_int8`), else fp32: either way an answer does not depend on its batch.
    """
    if asked != "auto":
        return asked
    return "int8" if not devices.is_accelerator(device) and _is_alike_in_int8(bundle) else "fp32"


def _is_alike_in_int8(bundle: Bundle) -> bool:
    """Whether training found so, with numbers rounded as they are here, or coarser."""
    found = bundle.metrics.get("int8")
    if not isinstance(found, dict) or found.get("alike") is not True:
        return False
    levels = found.get("levels")
    return isinstance(levels, int) and int8_is_fast() and int8_levels() >= levels


class DocumentReader:
    """Reads documents with weights that must stay as they are: some are copied, some are not.

    Args:
        model: on any device.
        pad_id: any word.
        precision: "fp32" (the same text gives the same answer to 1e-5 in any batch), "bf16",
            "int8" (on a CPU, and the fastest there), or "auto".

    Raises:
        InputError: there is no such precision, or none on the model's device.
    """

    def __init__(
        self, model: TextClassifier, pad_id: int, precision: devices.Precision = "fp32"
    ) -> None:
        self._pool, self._head = _fastest(model, pad_id, precision)

    def vectors(self, documents: Sequence[Ids]) -> Floats:
        """What the head is given: (documents, 3 embedding), in the order given."""
        return self._pool(documents)

    def logits(self, documents: Sequence[Ids]) -> NDArray[np.float64]:
        """The head's outputs (documents, outputs), in the order given."""
        return self._head(self._pool(documents)).astype(np.float64)


def _fastest(model: TextClassifier, pad_id: int, precision: devices.Precision) -> tuple[Pool, Head]:
    device = next(model.parameters()).device
    if devices.is_accelerator(device):
        if precision == "int8":
            raise InputError(f"precision int8 is for a CPU; on {device} take bf16 or fp32")
        return _by_torch(model, pad_id, precision), _head_by_torch(model)
    kind: Kind = "int8"
    if precision != "int8":
        kind = "bf16" if devices.is_bf16(device, precision) else "fp32"
    # torch's bf16 is the fastest on AMX, and where nothing multiplies bf16 as good as any.
    compiled = kind != "bf16" or devices.cpu_bf16_units() == "AVX512-bf16"
    path = fastest_path(kind) if compiled else "torch"
    if path == "torch":
        plain: devices.Precision = "bf16" if kind == "bf16" else "fp32"
        return _by_torch(model, pad_id, plain), _head_by_torch(model)
    encoder = FastEncoder(model.encoder, model.pooled_tokens, path)
    return encoder.pool, _head_by_torch(model, alone=True)


def _by_torch(model: TextClassifier, pad_id: int, precision: devices.Precision) -> Pool:
    """Batches of like lengths, padded, through the model itself."""

    def pool(documents: Sequence[Ids]) -> Floats:
        result = np.empty((len(documents), 3 * model.encoder.architecture.embedding), np.float32)
        lengths = np.array([len(d) for d in documents], np.int64)
        device = next(model.parameters()).device
        with devices.evaluating(model), devices.autocast(device, precision):
            for rows in inference_order(lengths, INFERENCE_TOKENS):
                batch = pad(documents, rows, pad_id)
                ids = torch.from_numpy(batch.ids).to(device, non_blocking=True)
                pooled = model.pool(ids, torch.from_numpy(batch.lengths).to(device))
                result[rows] = pooled.float().cpu().numpy()
        return result

    return pool


def _head_by_torch(model: TextClassifier, alone: bool = False) -> Head:
    """The model's own, where the model is.

    `alone`, each row by itself: beside others torch may sum it in another order.
    """

    def logits(vectors: Floats) -> Floats:
        device = next(model.parameters()).device
        rows = torch.from_numpy(vectors).to(device)
        parts = torch.split(rows, 1 if alone else len(rows))
        with devices.evaluating(model):
            outputs = torch.cat([model.head(part) for part in parts])
        found: Floats = outputs.cpu().numpy()
        return found

    return logits
