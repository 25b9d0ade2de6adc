"""fastai: its classifier reads documents and corpora of rising size."""

from pathlib import Path
from typing import Any

import fastai_model
import growth
import numpy as np


def prepare(folder: Path, options: dict[str, Any]):
    model = fastai_model.classifier(folder / options["weights"])

    def read(documents):
        dls = fastai_model.loaders(documents, np.zeros(len(documents)), options["batch"])
        learn = fastai_model.learner(dls, model)
        with learn.no_bar(), learn.no_logging():
            learn.get_preds(dl=dls.valid)

    return growth.timed(folder, options, read)
