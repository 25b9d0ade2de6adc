"""A tiny classifier that has learned what is good and what is bad."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ulmfit.bundle import Bundle, Direction, HeadConfig, empty_classifier
from ulmfit.data.batches import pad
from ulmfit.data.stream import reverse_document
from ulmfit.model.awd_lstm import Architecture
from ulmfit.text import Encoder
from ulmfit.text.specials import PADDING_ID


@pytest.fixture(scope="session")
def taught(encoder: Encoder, texts: list[str], labels) -> Bundle:
    """Both directions; knows `texts` by heart, in chunks of 7 tokens."""
    sizes, head = Architecture(len(encoder.vocab), 12, 16, 2), HeadConfig(chunk=7, hidden=8)
    bundle = Bundle("classifier", sizes, encoder, {}, labels=["bad", "good"], head=head)
    directions: tuple[Direction, ...] = ("forward", "backward")
    for direction in directions:
        torch.manual_seed(0)
        model = empty_classifier(sizes, head, 2).train()
        documents = [encoder.encode(text).astype(np.int64) for text in texts]
        if direction == "backward":
            documents = [reverse_document(ids) for ids in documents]
        batch = pad(documents, np.arange(len(texts)), PADDING_ID)
        optimizer = torch.optim.Adam(model.parameters(), 0.02)
        for _ in range(60):
            logits = model(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths))
            optimizer.zero_grad()
            F.cross_entropy(logits, torch.from_numpy(labels)).backward()
            optimizer.step()
        bundle.weights[direction] = model.eval().state_dict()
    return bundle
