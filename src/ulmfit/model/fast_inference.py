"""Documents -> pooled vectors by compiled code: a classifier's forward pass up to its head.

Held to `TextClassifier`: the same numbers to 1e-5 in fp32; in bf16 and int8 the same to what
rounding costs (experiments/LOG.md). A document's vector is the same to the last bit in any batch.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ulmfit import device as devices
from ulmfit.compiled import Unavailable
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.model.lstm import LSTMLayer
from ulmfit.model.native.code import library
from ulmfit.model.native.layers import ROWS, Floats, Kind
from ulmfit.model.native.reader import Network, Reader, Texts

Ids = NDArray[np.int64]
Path = Kind | Literal["torch"]

ERRORS: dict[Kind, float] = {"fp32": 1e-5, "bf16": 0.02, "int8": 0.05}
"""what the probe lets rounding cost, of a vector's length"""


class FastEncoder:
    """An encoder whose weights are packed for prediction on this CPU.

    Args:
        encoder: on the CPU. It must not learn any more: its embedding is read where it stands.
        pooled_tokens: only the last so many positions of a document are pooled.
        kind: of the products, but for the first layer's input, which is fp32.

    Raises:
        Unavailable: there is no compiled code for this machine.
    """

    def __init__(self, encoder: AWDLSTM, pooled_tokens: int, kind: Kind = "fp32") -> None:
        layers = [
            (_floats(layer.w_ih), _floats(layer.w_hh), _floats(layer.bias))
            for layer in encoder.layers
            if isinstance(layer, LSTMLayer)
        ]
        self._network = Network.of(library(), _floats(encoder.embedding), layers, kind)
        self._pooled_tokens = pooled_tokens

    def pool(self, documents: Sequence[Ids]) -> Floats:
        """Documents of at least one id each -> (documents, 3 embedding), in their order."""
        vectors = np.empty((len(documents), 3 * self._network.features), np.float32)
        if not documents:
            return vectors
        texts = Texts.of(documents, self._pooled_tokens)
        # The longest first, and every thread its share of them: all end at about the same time.
        order = np.argsort(texts.starts - texts.ends, kind="stable").tolist()
        threads = min(torch.get_num_threads(), len(documents))
        self._network.words.meet(texts.ids, threads)
        first, queue = order[: threads * ROWS], deque(order[threads * ROWS :])

        def work(thread: int) -> None:
            Reader(self._network, texts, vectors).read(first[thread::threads], queue)

        with ThreadPoolExecutor(threads) as pool:
            try:
                list(pool.map(work, range(threads)))
            finally:
                queue.clear()  # after an interrupt readers stop when their rows are done
        return vectors


def _floats(tensor: Tensor) -> Floats:
    values: Floats = tensor.detach().float().contiguous().numpy()
    return values


@lru_cache(maxsize=1)
def int8_is_fast() -> bool:
    """Whether this CPU reads documents fastest in int8, and a probe finds it right."""
    try:
        return bool(library().has_fast_i8()) and _is_right("int8")
    except Unavailable:
        return False


def int8_levels() -> int:
    """The steps from 0 to a row's largest number in int8: more on a CPU with VNNI than on AVX2.

    Raises:
        Unavailable: there is no compiled code for this machine.
    """
    return int(library().levels())


@lru_cache(maxsize=3)
def fastest_path(kind: Kind) -> Path:
    """The fastest way to pool on this CPU that a probe finds right; warns where it is not the best.

    Args:
        kind: what is asked for.
    """
    try:
        right = _is_right("fp32") and (kind == "fp32" or _is_right(kind))
        reason = "" if right else "the compiled code gives wrong numbers"
    except Unavailable as error:
        reason = str(error)
    if reason:
        warnings.warn(f"predictions are slower here, computed by torch: {reason}", stacklevel=2)
        return "torch"
    if kind == "int8" and not library().has_fast_i8():
        warnings.warn(
            "predictions are slower here: int8 needs AVX2 or VNNI, fp32 is taken", stacklevel=2
        )
        return "fp32"
    if kind == "bf16" and not library().has_fast_bf16():
        return "torch"  # a compiler older than the CPU
    return kind


@torch.random.fork_rng(devices=[])  # modules draw weights: the run that asks must not notice
def _is_right(kind: Kind) -> bool:
    """Compare with the definition on a small encoder of odd sizes."""
    generator = torch.Generator().manual_seed(0)
    encoder = AWDLSTM(Architecture(50, 21, 37, 3), Dropouts(0, 0, 0, 0, 0)).eval()
    for parameter in encoder.parameters():
        parameter.data.normal_(std=0.4, generator=generator)
    documents = [torch.randint(50, (n,), generator=generator) for n in (1, 5, 9, 40, 40)]
    model = TextClassifier(encoder, PooledClassifier(21, 2), pooled_tokens=16)
    with devices.evaluating(model), torch.autocast("cpu", enabled=False):
        lengths = torch.tensor([len(d) for d in documents])
        wanted = model.pool(torch.nn.utils.rnn.pad_sequence(documents), lengths)
    got = torch.from_numpy(FastEncoder(encoder, 16, kind).pool([d.numpy() for d in documents]))
    return bool((got - wanted).norm() <= ERRORS[kind] * wanted.norm())
