"""fastai as a user gets it: `text_classifier_learner` with its AWD-LSTM, texts in.

The weights are drawn, not learned and not downloaded: they cost the same.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from fastai.text.all import AWD_LSTM, TextDataLoaders, load_learner, text_classifier_learner


def fit(texts: list[str], labels: list[str], path: Path) -> None:
    """An exported learner; it learns nothing but the vocabulary."""
    frame = pd.DataFrame({"text": texts, "label": labels})
    dls = TextDataLoaders.from_df(frame, text_col="text", label_col="label", seed=0)
    text_classifier_learner(dls, AWD_LSTM, pretrained=False).export(path.absolute())


def opened(path: Path) -> Callable[[list[str]], list[float]]:
    learn = load_learner(path)

    def answers(texts: list[str]) -> list[float]:
        with learn.no_bar(), learn.no_logging():
            if len(texts) == 1:
                return [float(learn.predict(texts[0])[2][1])]
            rows, _ = learn.get_preds(dl=learn.dls.test_dl(texts))
        return rows[:, 1].tolist()

    return answers
