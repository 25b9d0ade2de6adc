"""What is explained is the log-odds of the probability that the model gives."""

import numpy as np
import pytest
import torch

from ulmfit.explanations.quantity import quantity_of
from ulmfit.manifest import TargetConfig
from ulmfit.targets.answers import probabilities, values
from ulmfit.targets.kinds import outputs

LOGITS = np.random.default_rng(0).normal(scale=2, size=(20, 1, 4))


@pytest.mark.parametrize("kind", ["single", "multi", "ordinal"])
@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_log_odds(kind, temperature):
    logits = LOGITS[:, :, : outputs(kind, 4)]
    target = TargetConfig(kind=kind, temperature=temperature)
    wanted = probabilities(logits, kind, temperature)
    for label in range(4):
        got = quantity_of(target, label)(torch.from_numpy(logits[:, 0])).numpy()
        p = wanted[:, label]
        np.testing.assert_allclose(got, np.log(p / (1 - p)), rtol=1e-6)


def test_a_value():
    target = TargetConfig(kind="real", mean=3.0, scale=2.0)
    got = quantity_of(target, 0)(torch.from_numpy(LOGITS[:, 0, :1])).numpy()
    np.testing.assert_allclose(got, values(LOGITS[:, :, :1], 3.0, 2.0))


def test_a_rank_beyond_doubt_is_finite():
    target = TargetConfig(kind="ordinal")
    logits = torch.tensor([[100.0, 100.0]], requires_grad=True)
    log_odds = quantity_of(target, 2)(logits)
    (slopes,) = torch.autograd.grad(log_odds.sum(), logits)
    assert torch.isfinite(log_odds).all() and torch.isfinite(slopes).all()
