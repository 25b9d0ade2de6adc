"""The decoder's bias that expects a text's words."""

import torch

from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.frequencies import match_frequencies
from ulmfit.model.heads import LanguageModel

WORDS = 40


def drawn() -> tuple[LanguageModel, torch.Tensor]:
    torch.manual_seed(0)
    model = LanguageModel(AWDLSTM(Architecture(WORDS, 6, 8, 2), Dropouts()))
    model.decoder_bias.data.normal_()
    return model, torch.randint(0, 9, (60, 5))  # of a domain that has but nine words


def mean_nats(model: LanguageModel, ids: torch.Tensor) -> float:
    model.eval()
    with torch.no_grad():
        nats, _ = model.nats(ids[:-1], ids[1:], model.encoder.initial_states(ids.shape[1]))
    return nats.mean().item()


def expected(model: LanguageModel, ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        out = model.encoder(ids, model.encoder.initial_states(ids.shape[1])).raw
        return model.logits(out.flatten(0, 1)).softmax(1).mean(0)


def test_each_round_brings_the_text_nearer() -> None:
    model, ids = drawn()
    counts = torch.bincount(ids.flatten(), minlength=WORDS).float()
    nats = [mean_nats(model, ids)]
    for _ in range(4):
        match_frequencies(model, ids, counts, rounds=1)
        nats.append(mean_nats(model, ids))
    assert nats == sorted(nats, reverse=True)
    assert nats[1] < nats[0] - 0.5


def test_in_the_end_each_word_is_expected_as_often_as_it_stands_there() -> None:
    model, ids = drawn()
    counts = 1000.0 * torch.bincount(ids.flatten(), minlength=WORDS)
    match_frequencies(model, ids, counts, rounds=30)
    seen = counts > 0
    share = counts / counts.sum()
    torch.testing.assert_close(expected(model, ids)[seen], share[seen], rtol=1e-3, atol=1e-4)


def test_a_text_of_a_few_words_hardly_says_anything() -> None:
    model, ids = drawn()
    before = model.decoder_bias.detach().clone()
    match_frequencies(model, ids, torch.eye(WORDS)[3])
    moved = (model.decoder_bias.detach() - before).abs()
    assert moved.argmax() == 3
    assert moved[torch.arange(WORDS) != 3].max() < 0.4


def test_only_the_bias_changes_and_the_mode_stays() -> None:
    model, ids = drawn()
    model.train()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    state = torch.random.get_rng_state()
    match_frequencies(model, ids, torch.ones(WORDS))
    assert model.training and torch.equal(state, torch.random.get_rng_state())
    changed = [n for n, t in model.state_dict().items() if not torch.equal(t, before[n])]
    assert changed == ["decoder_bias"]
    assert model.decoder_bias.requires_grad and model.decoder_bias.is_leaf
