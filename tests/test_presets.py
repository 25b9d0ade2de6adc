"""Every preset holds the values of its source (both papers and the released scripts)."""

from dataclasses import replace

import pytest

from ulmfit.errors import InputError
from ulmfit.model.dropout import Dropouts
from ulmfit.presets import PRESETS, ClassifierSettings, preset
from ulmfit.training.schedules import (
    SCHEDULES,
    constant,
    cosine,
    reverse_annealing,
    slanted_triangular,
)

PAPER_DROPOUTS = Dropouts(output=0.4, hidden=0.3, input=0.4, embedding=0.05, weight=0.5)
CLASSIFIER_DROPOUTS = replace(PAPER_DROPOUTS, output=0)  # that one is the head's first
SCRIPTS_DROPOUTS = Dropouts(output=0.1, hidden=0.15, input=0.25, embedding=0.02, weight=0.2)


def test_there_are_four() -> None:
    assert set(PRESETS) == {"default", "v1", "v2", "scripts"}
    assert all(PRESETS[name].name == name for name in PRESETS)
    with pytest.raises(InputError, match="'v3': choose one of default, v1, v2, scripts"):
        preset("v3")


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_the_papers_common_values(name: str) -> None:
    chosen = preset(name)
    assert chosen.language_model.dropouts == PAPER_DROPOUTS
    assert chosen.classifier.dropouts == CLASSIFIER_DROPOUTS
    assert chosen.classifier.head_dropouts == (PAPER_DROPOUTS.output, 0.1)
    for part in (chosen.language_model, chosen.classifier):
        assert part.betas == (0.7, 0.99)
        assert part.weight_decay == 1.2e-6 and part.clip == 0.25
        assert part.batch == 64
    lm = chosen.language_model
    assert (lm.alpha, lm.beta, lm.bptt, lm.variable_bptt) == (2.0, 1.0, 70, True)
    assert not chosen.classifier.detach_chunks, "the gradient crosses chunks"
    assert chosen.classifier.head_hidden == 50
    assert chosen.max_vocabulary == 30_000


def test_v1_warms_up_then_unfreezes_from_the_last_on_a_cosine() -> None:
    phases = preset("v1").language_model.phases(4)
    assert [p.thawed for p in phases] == [(0, 1, 2, 3), (3,), (2, 3), (1, 2, 3), (0, 1, 2, 3)]
    assert [p.epochs for p in phases] == [1, 1, 1, 1, 1], "one epoch a stage"
    assert [p.schedule for p in phases] == [reverse_annealing] + [cosine] * 4
    assert all(p.peaks == (2e-3,) * 4 for p in phases), "one rate for all layers"


def test_v1_classifies_without_unfreezing_at_rates_times_three_tenths() -> None:
    (phase,) = preset("v1").classifier.phases(5)
    assert phase.thawed == (0, 1, 2, 3, 4)
    assert phase.schedule is constant, "footnote 2: no cosine"
    ratios = [low / high for low, high in zip(phase.peaks[:-1], phase.peaks[1:], strict=True)]
    assert ratios == pytest.approx([0.3] * 4)


def test_v2_fine_tunes_all_layers_on_a_slanted_triangle() -> None:
    (phase,) = preset("v2").language_model.phases(4)
    assert phase.thawed == (0, 1, 2, 3)
    assert phase.schedule is slanted_triangular
    assert phase.peaks == pytest.approx([4e-3 / 2.6**i for i in (3, 2, 1, 0)])


def test_v2_classifies_with_gradual_unfreezing() -> None:
    phases = preset("v2").classifier.phases(5)
    wanted = [(4,), (3, 4), (2, 3, 4), (1, 2, 3, 4), (0, 1, 2, 3, 4)]
    assert [p.thawed for p in phases] == wanted
    assert [p.epochs for p in phases[:-1]] == [1] * 4
    assert all(p.peaks == pytest.approx([0.01 / 2.6**i for i in (4, 3, 2, 1, 0)]) for p in phases)
    assert all(p.schedule is slanted_triangular for p in phases)


def test_the_scripts_language_model() -> None:
    lm = preset("scripts").language_model
    assert lm.dropouts == SCRIPTS_DROPOUTS
    assert (lm.betas, lm.weight_decay, lm.clip) == ((0.8, 0.99), 1e-7, 0.3)
    (phase,) = lm.phases(4)
    assert phase.thawed == (0, 1, 2, 3) and phase.epochs == 25
    assert phase.peaks == pytest.approx([4e-3 / 6, 4e-3 / 3, 4e-3, 4e-3 / 2])
    assert phase.schedule(10, 100, 4e-3) == pytest.approx(4e-3), "(32, 10): a tenth of the way"
    assert phase.schedule(0, 100, 4e-3) == pytest.approx(4e-3 / 32)


@pytest.mark.parametrize(
    ("layers", "shares"),
    [(1, [1, 1 / 2]), (2, [1 / 3, 1, 1 / 2]), (4, [1 / 6, 1 / 6, 1 / 3, 1, 1 / 2])],
)
def test_the_scripts_rates_hold_for_models_of_another_depth(
    layers: int, shares: list[float]
) -> None:
    """The top layer learns at the peak and the embedding at half of it, whatever lies between."""
    (phase,) = preset("scripts").language_model.phases(layers + 1)
    assert phase.peaks == pytest.approx([4e-3 * share for share in shares])


def test_the_scripts_classifier() -> None:
    settings = preset("scripts").classifier
    assert settings.dropouts == CLASSIFIER_DROPOUTS and settings.head_dropouts == (0.4, 0.1)
    assert (settings.alpha, settings.beta) == (2, 1) and settings.patience is None
    assert (settings.betas, settings.weight_decay, settings.clip) == ((0.8, 0.99), 1e-6, 25)
    assert settings.batch == 32 and settings.detach_chunks and settings.pooled_tokens == 1400
    phases = settings.phases(5)
    assert [(p.thawed, p.epochs) for p in phases[:2]] == [((4,), 1), ((3, 4), 1)]
    assert phases[2].thawed == (0, 1, 2, 3, 4) and len(phases) == 3
    assert phases[0].schedule(20, 60, 1.0) == pytest.approx(1.0), "(8, 3): a third of the way"
    assert phases[2].schedule(10, 80, 1.0) == pytest.approx(1.0), "(8, 8): an eighth"
    assert phases[0].schedule(0, 60, 1.0) == phases[2].schedule(0, 80, 1.0) == 1 / 8


def test_the_ablations_of_v2() -> None:
    chain = ClassifierSettings(unfreezing="chain-thaw", epochs=3).phases(5)
    assert [p.thawed for p in chain] == [(4,), (0,), (1,), (2,), (3,), (0, 1, 2, 3, 4)]
    assert chain[0].peaks == (1e-4, 1e-4, 1e-4, 1e-4, 1e-3)
    (last,) = ClassifierSettings(unfreezing="last").phases(5)
    assert last.thawed == (4,)
    (full,) = ClassifierSettings(unfreezing="all", factor=1.0).phases(5)
    assert full.peaks == (0.01,) * 5
    assert preset("v2").classifier.patience is None, "v2, sec. 5: all but ULMFiT stop early"
    staged = ClassifierSettings(stage_epochs=3).phases(5)
    assert [p.epochs for p in staged] == [3, 3, 3, 3, 50]


@pytest.mark.parametrize("unfreezing", ["all", "last", "chain-thaw", "gradual"])
def test_the_scripts_end_on_their_last_schedule_however_they_unfreeze(unfreezing: str) -> None:
    phases = replace(preset("scripts").classifier, unfreezing=unfreezing).phases(5)
    assert phases[-1].schedule is SCHEDULES["scripts_last"]
    assert all(p.schedule is SCHEDULES["scripts_stages"] for p in phases[:-1])


@pytest.mark.parametrize(
    ("steps", "epochs"), [(1, 150), (3, 50), (9, 17), (10, 16), (11, 16), (1000, 16)]
)
def test_few_documents_are_read_more_often(steps: int, epochs: int) -> None:
    settings = preset("default").classifier
    assert settings.long_enough(steps).epochs == epochs
    assert settings.long_enough(steps).phases(4)[-1].epochs == epochs
    paper = preset("v2").classifier
    assert paper.long_enough(steps) == paper


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_every_preset_has_phases_for_any_number_of_layers(name: str, layers: int) -> None:
    chosen = preset(name)
    for phases, groups in [
        (chosen.language_model.phases(layers + 1), layers + 1),
        (chosen.classifier.phases(layers + 2), layers + 2),
    ]:
        assert phases[-1].thawed == tuple(range(groups))
        assert all(len(p.peaks) == groups and p.epochs > 0 for p in phases)
    assert chosen.language_model.schedule in SCHEDULES
