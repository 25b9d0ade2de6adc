"""The encoder against a stack of torch.nn.LSTM, and its dropouts in their places."""

from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor, nn

from ulmfit.model.awd_lstm import AWDLSTM, Architecture, detach
from ulmfit.model.dropout import Dropouts

SMALL = Architecture(vocabulary=23, embedding=6, hidden=10, layers=3)
NONE = Dropouts(0, 0, 0, 0, 0)


def stacked(model: AWDLSTM, ids: Tensor) -> Tensor:
    """The same network built of PyTorch's own parts."""
    x = nn.functional.embedding(ids, model.embedding)
    for layer, (features, hidden) in zip(
        model.layers, model.architecture.layer_sizes(), strict=True
    ):
        torch_layer = nn.LSTM(features, hidden)
        weights = dict(layer.named_parameters())
        torch_layer.load_state_dict(
            {
                "weight_ih_l0": weights["w_ih"],
                "weight_hh_l0": weights["w_hh"],
                "bias_ih_l0": weights["bias"],
                "bias_hh_l0": torch.zeros_like(weights["bias"]),
            }
        )
        x = torch_layer(x)[0]
    return x


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_it_is_a_stack_of_lstms(layers: int) -> None:
    torch.manual_seed(0)
    model = AWDLSTM(replace(SMALL, layers=layers), Dropouts()).eval()
    ids = torch.randint(23, (8, 3))
    out = model(ids, model.initial_states(3))
    torch.testing.assert_close(out.raw, stacked(model, ids), atol=1e-6, rtol=1e-5)
    assert torch.equal(out.dropped, out.raw), "no dropout in evaluation"


def test_sizes_are_the_papers() -> None:
    assert Architecture().layer_sizes() == [(400, 1150), (1150, 1150), (1150, 400)]
    assert Architecture().vocabulary == 30_000


def test_embeddings_begin_as_in_merity() -> None:
    torch.manual_seed(0)
    weight = AWDLSTM(replace(SMALL, vocabulary=5000), NONE).embedding.detach()
    assert -0.1 <= float(weight.min()) < -0.0999 and 0.0999 < float(weight.max()) <= 0.1
    assert float(weight.std()) == pytest.approx(0.2 / 12**0.5, rel=0.02)


@pytest.mark.parametrize("name", [f.name for f in fields(Dropouts)])
def test_each_dropout_changes_the_output_in_training(name: str) -> None:
    torch.manual_seed(0)
    model = AWDLSTM(SMALL, replace(NONE, **{name: 0.5}))
    ids, states = torch.randint(23, (8, 3)), model.initial_states(3)
    one, two = model(ids, states), model(ids, states)
    assert not torch.allclose(one.dropped, two.dropped)
    assert torch.equal(one.raw, two.raw) == (name == "output"), "only output dropout spares raw"


def test_detached_states_have_the_same_values_and_no_graph() -> None:
    torch.manual_seed(0)
    model = AWDLSTM(SMALL, NONE)
    states = model(torch.randint(23, (4, 2)), model.initial_states(2)).states
    for (h, c), (h0, c0) in zip(detach(states), states, strict=True):
        assert torch.equal(h, h0) and torch.equal(c, c0)
        assert h0.requires_grad and c0.requires_grad
        assert not h.requires_grad and not c.requires_grad


def test_frozen_lower_layers_record_no_graph() -> None:
    torch.manual_seed(0)
    model = AWDLSTM(SMALL, Dropouts())
    for parameter in [model.embedding, *model.layers[0].parameters()]:
        parameter.requires_grad_(False)
    out = model(torch.randint(23, (4, 2)), model.initial_states(2))
    assert not out.states[0][0].requires_grad
    assert out.states[1][0].requires_grad
