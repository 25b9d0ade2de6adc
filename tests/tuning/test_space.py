"""The space around a preset: its own values stand in it, and every find is valid settings."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulmfit.presets import PRESETS, Preset
from ulmfit.settings import with_settings
from ulmfit.tuning.space import Dimension, classifier_space, language_model_space, settings_of

EVERY = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))


def space_of(preset: Preset) -> dict[str, Dimension]:
    return classifier_space(preset.classifier) | language_model_space(preset.language_model)


@EVERY
def test_the_presets_own_values_lie_in_the_space_and_change_nothing(preset: Preset) -> None:
    space = space_of(preset)
    for dimension in space.values():
        within = dimension.choices or (dimension.low, dimension.high)
        assert min(within) <= dimension.preset <= max(within)
        assert not dimension.choices or dimension.preset in dimension.choices
    own = {name: dimension.preset for name, dimension in space.items()}
    assert with_settings(preset, settings_of(preset, own)) == preset


def test_few_rows_are_read_as_often_as_train_reads_them() -> None:
    """Two steps an epoch: `train` does 75 epochs; the search reaches a quarter and the double."""
    preset = PRESETS["default"]
    space = classifier_space(preset.classifier)

    def epochs(value: float, steps: int) -> int:
        found = {name: d.preset for name, d in space.items()} | {"epochs": value}
        made = with_settings(preset, settings_of(preset, found))
        return made.classifier.long_enough(steps).epochs

    own = space["epochs"]
    assert [epochs(end, steps=2) for end in (own.low, own.preset, own.high)] == [19, 75, 150]
    assert epochs(own.preset, steps=3) == 50  # more rows: as many steps
    assert [epochs(end, steps=100) for end in (own.low, own.high)] == [own.low, own.high]


@settings(deadline=None)
@given(st.data())
def test_every_find_is_valid_settings(data: st.DataObject) -> None:
    preset = data.draw(st.sampled_from(list(PRESETS.values())))
    found = {}
    for name, d in space_of(preset).items():
        if d.choices:
            found[name] = data.draw(st.sampled_from(d.choices))
        elif d.whole:
            found[name] = data.draw(st.integers(int(d.low), int(d.high)))
        else:
            found[name] = data.draw(st.floats(d.low, d.high))
    values = json.loads(json.dumps(settings_of(preset, found)))
    made = with_settings(preset, values)
    assert made.classifier.peak == pytest.approx(found["peak"], rel=1e-2)
    assert made.language_model.epochs == found["lm_epochs"]
    if preset.language_model.ratios and found["lm_factor"] == preset.language_model.factor:
        return  # the preset's own rates
    for group in (0, 1, 2):  # the rates that are found are those that are used
        rates = made.language_model.peaks(4)
        assert rates[group] == pytest.approx(rates[group + 1] / found["lm_factor"], rel=1e-2)


def test_without_the_language_models_dimensions_its_settings_stay_untold() -> None:
    preset = PRESETS["default"]
    own = {n: d.preset for n, d in classifier_space(preset.classifier).items()}
    assert settings_of(preset, own).keys() == {"preset", "classifier"}
