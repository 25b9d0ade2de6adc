"""A grown model says what the small one said, and its new units learn."""

import pytest
import torch

from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.growing import WORDS, grow_into, take_words
from ulmfit.model.heads import LanguageModel

NONE = Dropouts(0, 0, 0, 0, 0)


def model(embedding: int, hidden: int, layers: int = 3, words: int = 50) -> LanguageModel:
    made = LanguageModel(AWDLSTM(Architecture(words, embedding, hidden, layers), NONE))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


@pytest.mark.parametrize(("embedding", "hidden"), [(8, 12), (8, 20), (11, 12), (16, 37)])
def test_the_same_outputs(embedding: int, hidden: int) -> None:
    torch.manual_seed(0)
    small, large = model(8, 12).eval(), model(embedding, hidden).eval()
    grow_into(large, small.state_dict())
    ids = torch.randint(50, (30, 4))
    targets = torch.randint(50, (30, 4))
    with torch.no_grad():
        wanted, _ = small.nats(ids, targets, small.encoder.initial_states(4))
        got, _ = large.nats(ids, targets, large.encoder.initial_states(4))
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_every_new_unit_learns() -> None:
    torch.manual_seed(0)
    small, large = model(8, 12), model(12, 20)
    grow_into(large, small.state_dict())
    sgd = torch.optim.SGD(large.parameters(), 1.0)
    before = [p.detach().clone() for p in large.parameters()]
    for _ in range(6):  # what is heard by nobody yet has its first gradient a step later
        sgd.zero_grad()
        ids, targets = torch.randint(50, (20, 4)), torch.randint(50, (20, 4))
        large.loss(ids, targets, large.encoder.initial_states(4))[0].backward()
        sgd.step()
    moved = {
        name: float((now != then).float().mean())
        for (name, now), then in zip(large.named_parameters(), before, strict=True)
    }
    assert min(moved.values()) > 0.9, moved


@pytest.mark.parametrize("other", [(7, 12, 3, 50), (8, 11, 3, 50), (8, 12, 2, 50), (8, 12, 3, 51)])
def test_what_does_not_nest_is_refused(other: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="fit"):
        grow_into(model(*other), model(8, 12).state_dict())


def test_words_alone() -> None:
    torch.manual_seed(0)
    small, large = model(8, 12), model(11, 20, layers=2)
    before = {name: weight.clone() for name, weight in large.state_dict().items()}
    take_words(large, small.state_dict())
    for name, weight in large.state_dict().items():
        assert torch.equal(weight, before[name]) == (name not in WORDS), name
    assert torch.equal(large.encoder.embedding[:, :8], small.encoder.embedding)
    assert not large.encoder.embedding[:, 8:].any()
    assert torch.equal(large.decoder_bias, small.decoder_bias)
    with pytest.raises(ValueError, match="fit"):
        take_words(model(7, 12), small.state_dict())
