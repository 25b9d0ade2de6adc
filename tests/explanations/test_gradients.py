"""Integrated gradients against what they must sum to, and against plain gradients."""

import numpy as np
import pytest
import torch

from ulmfit.explanations.gradients import token_scores
from ulmfit.text.specials import PADDING_ID

WAY = tuple((np.arange(256) + 0.5) / 256)


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    return logits[:, 1] - logits[:, 0]


def answer(model, ids: np.ndarray) -> float:
    with torch.inference_mode():
        logits = model(torch.from_numpy(ids)[:, None], torch.tensor([len(ids)]))
        return float(log_odds(logits)[0])


@pytest.fixture
def model(taught):
    return taught.classifier("forward")


@pytest.fixture
def document(taught, texts) -> np.ndarray:
    """The longest text: several chunks."""
    return taught.encoder.encode(max(texts, key=len)).astype(np.int64)


def test_gradients_times_inputs_are_those_of_the_embedding_matrix(model, document):
    scores = token_scores(model, document, log_odds, shares=(1.0,))
    logits = model(torch.from_numpy(document)[:, None], torch.tensor([len(document)]))
    matrix = model.encoder.embedding
    (slopes,) = torch.autograd.grad(log_odds(logits).sum(), matrix)
    by_word = (matrix * slopes).sum(1).detach().numpy()
    for word in set(document[1:].tolist()):
        assert np.isclose(scores[document == word].sum(), by_word[word], atol=1e-5)


def test_the_scores_sum_to_the_answer_less_that_of_nothing(model, document):
    with torch.no_grad():
        model.encoder.embedding[PADDING_ID] = 0
    nothing = np.full_like(document, PADDING_ID)
    nothing[0] = document[0]
    wanted = answer(model, document) - answer(model, nothing)
    scores = token_scores(model, document, log_odds, shares=WAY)
    assert abs(wanted) > 0.5
    assert np.isclose(scores.sum(), wanted, rtol=0.01)
    rough = token_scores(model, document, log_odds)
    assert np.isclose(rough.sum(), wanted, rtol=0.1)


def test_the_beginning_of_a_text_has_no_score(model, document):
    assert token_scores(model, document, log_odds)[0] == 0


def test_tokens_that_are_not_pooled_have_none(model, document):
    """The rest is explained as it stands: after all that came before it."""
    model.pooled_tokens = 10
    with torch.no_grad():
        model.encoder.embedding[PADDING_ID] = 0
    scores = token_scores(model, document, log_odds, shares=WAY)
    faded = document.copy()
    faded[-10:] = PADDING_ID
    assert not scores[:-10].any()
    wanted = answer(model, document) - answer(model, faded)
    assert np.isclose(scores.sum(), wanted, rtol=0.01, atol=1e-3)


def test_shares_are_taken_as_well_one_by_one(model, document, monkeypatch):
    together = token_scores(model, document, log_odds)
    monkeypatch.setattr("ulmfit.explanations.gradients.POSITIONS", 1)
    np.testing.assert_allclose(token_scores(model, document, log_odds), together, atol=1e-5)


def test_the_model_stays_as_it_was(model, document):
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    token_scores(model, document, log_odds)
    assert not model.training
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])
    assert all(weight.grad is None for weight in model.parameters())
