"""fastai: documents of 100 tokens, one call of its bare model each, ids in.

Without the loaders and callbacks of `Learner.predict`: the harder peer.
"""

import time
from pathlib import Path
from typing import Any

import fastai_model
import numpy as np
import torch

TOKENS = 100


def prepare(folder: Path, options: dict[str, Any]):
    ids = np.load(folder / "corpus" / "ids.npy")
    model = fastai_model.classifier(folder / options["weights"]).eval()
    count, taken = options["texts"], 0

    def work() -> dict[str, Any]:
        nonlocal taken
        given = np.take(ids, range(taken, taken + count * TOKENS), mode="wrap")
        taken += count * TOKENS
        started = time.perf_counter()
        with torch.inference_mode():
            for one in torch.from_numpy(given.reshape(count, TOKENS)):
                model.reset()
                model(one[None])
        return {"work": count, "seconds": time.perf_counter() - started}

    return work
