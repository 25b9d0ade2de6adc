"""Ours: the default model reads documents and corpora of rising size."""

from pathlib import Path
from typing import Any

import growth

from ulmfit import device as devices
from ulmfit import load
from ulmfit.reading import DocumentReader
from ulmfit.text.specials import PADDING_ID


def prepare(folder: Path, options: dict[str, Any]):
    devices.pick_device("cpu")
    bundle = load(folder / "system_ours")
    readers = [DocumentReader(bundle.classifier(d), PADDING_ID) for d in bundle.directions]

    def read(documents):
        for reader in readers:
            reader.logits(documents)

    return growth.timed(folder, options, read)
