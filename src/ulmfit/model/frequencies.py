"""A decoder's bias that expects each word as often as a text has it.

A language model that comes to another domain expects the old domain's words: it has to learn that
"sequel" is a hundred times more common in film reviews, at one learning rate a step. Its bias can
be told at once. For features of which exactly one is on for each event, as words are, generalised
iterative scaling (Darroch and Ratcliff 1972) moves each weight by the log of observed over expected
counts, and never lowers the likelihood.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ulmfit import device as devices
from ulmfit.model.heads import ROWS, LanguageModel

ROUNDS = 2  # the second still gains, a third does not (LOG, "Fine-tuning begins ...")


def match_frequencies(
    model: LanguageModel, ids: Tensor, counts: Tensor, rounds: int = ROUNDS
) -> None:
    """Move the decoder's bias towards the words' frequencies in a text.

    One is added to the observed and to the expected counts, so that a word of which the text could
    hardly have an example stays as it was.

    Args:
        model: changed in place.
        ids: (time, batch) of int64, a sample of the text to expect words after.
        counts: (vocabulary,) how often each word stands in the whole text.
        rounds: of scaling.
    """
    with devices.evaluating(model):
        states = model.encoder.initial_states(ids.shape[1])
        outputs = model.encoder(ids, states).raw.flatten(0, 1)
        total = counts.sum()
        for _ in range(rounds):
            expected = _mean_probabilities(model, outputs) * total
            model.decoder_bias.add_(((counts + 1) / (expected + 1)).log())


def _mean_probabilities(model: LanguageModel, outputs: Tensor) -> Tensor:
    """(vocabulary,) what the model expects on average after `outputs` (positions, features)."""
    mean = torch.zeros_like(model.decoder_bias)
    for i in range(0, len(outputs), ROWS):
        mean += model.logits(outputs[i : i + ROWS]).softmax(1).sum(0)
    return mean / len(outputs)
