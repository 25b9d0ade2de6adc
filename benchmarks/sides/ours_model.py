"""Our classifier with the shared weights."""

from pathlib import Path

import numpy as np
import torch

from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import PooledClassifier, TextClassifier

NO_DROPOUT = Dropouts(0, 0, 0, 0, 0)


def classifier(path: Path, dropouts: Dropouts = NO_DROPOUT) -> TextClassifier:
    weights = {name: torch.from_numpy(value) for name, value in np.load(path).items()}
    vocabulary, embedding = weights["embedding"].shape
    layers = sum(name.endswith("w_hh") for name in weights)
    sizes = Architecture(vocabulary, embedding, weights["0.w_hh"].shape[1], layers)
    encoder = AWDLSTM(sizes, dropouts)
    head = PooledClassifier(embedding, 2, 50, (0.4, 0.1))
    with torch.no_grad():
        encoder.embedding.copy_(weights["embedding"])
        for i, layer in enumerate(encoder.layers):
            for name in ("w_ih", "w_hh", "bias"):
                getattr(layer, name).copy_(weights[f"{i}.{name}"])
        for linear, name in ((head.linear1, "linear1"), (head.linear2, "linear2")):
            linear.weight.copy_(weights[name])
            linear.bias.zero_()
    return TextClassifier(encoder, head, chunk=72, pooled_tokens=1440)
