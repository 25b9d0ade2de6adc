"""Tiny classifiers of every kind of target that have learned what is good and what is bad."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from ulmfit.bundle import Bundle, Direction, HeadConfig, empty_classifier
from ulmfit.data.batches import pad
from ulmfit.data.stream import reverse_document
from ulmfit.model.awd_lstm import Architecture
from ulmfit.stages.objective import Objective, learnable, new_target
from ulmfit.targets.kinds import Kind, outputs
from ulmfit.text import Encoder
from ulmfit.text.specials import PADDING_ID

NAMES: dict[Kind, list[str]] = {
    "single": ["bad", "good"],
    "multi": ["bad", "good", "film"],
    "ordinal": ["bad", "so-so", "good"],
    "real": [],
}


@pytest.fixture(scope="session")
def teach(encoder: Encoder, texts: list[str], labels) -> Callable[[Kind], Bundle]:
    """Makes a classifier of a kind: both directions; knows `texts` by heart, in chunks of 7."""
    told = {
        "single": labels,
        "multi": np.stack([labels == 0, labels == 1, ["film" in text for text in texts]], 1),
        "ordinal": np.where(np.arange(len(texts)) % 3, 2 * labels, 1),
        "real": 1000.0 + 7 * labels,
    }
    sizes, head = Architecture(len(encoder.vocab), 12, 16, 2), HeadConfig(chunk=7, hidden=8)
    directions: tuple[Direction, ...] = ("forward", "backward")

    @cache
    def made(kind: Kind) -> Bundle:
        target, count = new_target(told[kind], kind), outputs(kind, len(NAMES[kind]))
        wanted, loss = torch.from_numpy(learnable(told[kind], target)), Objective().loss_of(kind)
        bundle = Bundle(
            *("classifier", sizes, encoder, {}), labels=NAMES[kind], head=head, target=target
        )
        for direction in directions:
            torch.manual_seed(0)
            model = empty_classifier(sizes, head, count).train()
            documents = [encoder.encode(text).astype(np.int64) for text in texts]
            if direction == "backward":
                documents = [reverse_document(ids) for ids in documents]
            batch = pad(documents, np.arange(len(texts)), PADDING_ID)
            optimizer = torch.optim.Adam(model.parameters(), 0.02)
            for _ in range(60):
                logits = model(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths))
                optimizer.zero_grad()
                loss(logits, wanted, None).backward()
                optimizer.step()
            bundle.weights[direction] = model.eval().state_dict()
        return bundle

    return made


@pytest.fixture(scope="session")
def taught(teach: Callable[[Kind], Bundle]) -> Bundle:
    """Of one label a text."""
    return teach("single")
