"""Settings of one's own: what they change, and what is refused with which words."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from ulmfit.errors import InputError
from ulmfit.presets import PRESETS, Preset
from ulmfit.settings import check_depth, read_settings, with_settings
from ulmfit.training.schedules import SCHEDULES

DEFAULT = PRESETS["default"]


def as_json(values: Any) -> Any:
    return json.loads(json.dumps(values))


@pytest.mark.parametrize("chosen", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_written_out_whole_is_itself(chosen: Preset) -> None:
    values = as_json(asdict(chosen))
    del values["name"]
    assert with_settings(chosen, values) == chosen
    assert with_settings(chosen, {"preset": chosen.name}) == chosen


@pytest.mark.parametrize("chosen", PRESETS.values(), ids=list(PRESETS))
def test_any_preset_can_be_made_out_of_another(chosen: Preset) -> None:
    values = as_json(asdict(chosen))
    del values["name"]
    assert replace(with_settings(DEFAULT, values), name=chosen.name) == chosen


def test_only_what_is_named_changes() -> None:
    values = {"classifier": {"peak": 0.02, "dropouts": {"weight": 0.3}}, "min_count": 1}
    made = with_settings(DEFAULT, values)
    assert made.classifier.peak == 0.02 and made.classifier.dropouts.weight == 0.3
    assert made.min_count == 1
    back = {
        "classifier": {
            "peak": DEFAULT.classifier.peak,
            "dropouts": {"weight": DEFAULT.classifier.dropouts.weight},
        },
        "min_count": DEFAULT.min_count,
    }
    assert with_settings(made, back) == DEFAULT


def test_whole_numbers_serve_where_a_real_one_is_wanted() -> None:
    assert with_settings(DEFAULT, {"classifier": {"factor": 1}}).classifier.factor == 1.0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"clasifier": {}}, "no 'clasifier'; did you mean 'classifier'"),
    ({"name": "mine"}, "no 'name'"),
    ({"classifier": {"learning": 1}}, r"no 'classifier\.learning'; known here: dropouts"),
    ({"classifier": {"dropouts": {"wieght": 0.1}}}, r"'classifier\.dropouts\.wieght'; .*'weight'"),
    ({"classifier": 3}, "classifier must be an object"),
    ({"classifier": {"dropouts": [0.1]}}, r"classifier\.dropouts must be an object"),
    ({"classifier": {"peak": "high"}}, r"classifier\.peak is 'high': .*number"),
    ({"classifier": {"peak": True}}, r"classifier\.peak is True: .*number"),
    ({"classifier": {"peak": 0}}, r"classifier\.peak is 0: expected 1e-09 to 10"),
    ({"classifier": {"peak": float("nan")}}, r"classifier\.peak is nan"),
    ({"classifier": {"epochs": 2.5}}, r"classifier\.epochs is 2\.5: .*integer"),
    ({"classifier": {"epochs": 0}}, r"classifier\.epochs is 0: expected 1 to"),
    ({"classifier": {"epochs": None}}, r"classifier\.epochs is None"),
    ({"classifier": {"batch": 1}}, r"classifier\.batch is 1: expected 2 to"),
    ({"classifier": {"head_dropouts": [0.1]}}, r"classifier\.head_dropouts is \[0\.1\]"),
    ({"classifier": {"head_dropouts": [0.1, 1.0]}}, r"head_dropouts .* expected 0 to 0\.95"),
    ({"classifier": {"dropouts": {"input": -0.1}}}, r"dropouts\.input is -0\.1: expected 0"),
    ({"classifier": {"unfreezing": "some"}}, r"classifier\.unfreezing is 'some': .*'gradual'"),
    ({"classifier": {"schedule": "up"}}, "classifier.schedule is 'up': choose one of .*cosine"),
    ({"language_model": {"ratios": [1, -1]}}, r"language_model\.ratios"),
    ({"language_model": {"betas": [0.7]}}, r"language_model\.betas"),
    ({"classifier": {"peak": {1}}}, r"classifier\.peak is \{1\}"),
    (
        {"classifier": {"unfreezing": "chain-thaw", "peak": 0.02}},
        r"classifier\.peak is not used where unfreezing is 'chain-thaw'",
    ),
    ({"classifier": {"unfreezing": "chain-thaw", "factor": 1}}, r"classifier\.factor is not used"),
    ({"classifier": {"unfreezing": "last", "stages": 2}}, r"classifier\.stages is not used"),
    ({"classifier": {"unfreezing": "last", "factor": 1}}, r"classifier\.factor is not used"),
    ({"classifier": {"unfreezing": "all", "stage_epochs": 2}}, r"stage_epochs is not used"),
    (
        {"classifier": {"keep": "last", "patience": 3}},
        r"classifier\.patience is not used where the last epoch is kept",
    ),
    ({"classifier": {"keep": "best"}}, r"classifier\.keep is 'best': .*'lowest'"),
    ({"preset": "v2"}, "made for preset 'v2', not 'default': choose --preset v2"),
    ({"preset": 7}, "made for preset 7"),
]


@pytest.mark.parametrize(("values", "match"), WRONG)
def test_a_wrong_value_is_named_with_what_would_be_right(
    values: dict[str, Any], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        with_settings(DEFAULT, values)


def test_every_number_of_a_preset_has_limits() -> None:
    """A new setting without limits would take any number."""
    for part in (DEFAULT, DEFAULT.language_model, DEFAULT.classifier, DEFAULT.classifier.dropouts):
        for field in fields(part):  # type: ignore[arg-type]
            value = getattr(part, field.name)
            if isinstance(value, float):
                for number in (float("inf"), -1e30):
                    wrong: dict[str, Any] = {field.name: number}
                    if part is not DEFAULT:
                        inside = {"dropouts": wrong} if hasattr(part, "output") else wrong
                        name = "language_model" if hasattr(part, "alpha") else "classifier"
                        wrong = {name: inside}
                    with pytest.raises(InputError, match=field.name):
                        with_settings(DEFAULT, wrong)


def test_ratios_of_ones_own_fit_the_language_model() -> None:
    given = {"language_model": {"ratios": [0.1, 0.2, 0.3, 0.4]}}
    check_depth(given, 3)
    check_depth({"language_model": {"ratios": []}}, 2)
    check_depth(None, 2)
    with pytest.raises(InputError, match=r"holds 4 values, .* 3 layer groups: 2 LSTM layers"):
        check_depth(given, 2)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"{", "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (b"[1]", "expected a JSON object"),
        (b"[" * 100_000, "not readable as JSON"),
        (None, "not readable as JSON .No such file"),
    ],
)
def test_a_file_that_holds_no_settings(content: bytes | None, match: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        read_settings(str(path))
    assert str(path) in str(caught.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"classifier": {"peak": 0.5}}')
    assert with_settings(DEFAULT, read_settings(str(path))).classifier.peak == 0.5


def test_settings_may_be_given_as_they_are() -> None:
    values = read_settings(' {"classifier": {"peak": 0.5}}')
    assert with_settings(DEFAULT, values).classifier.peak == 0.5
    with pytest.raises(InputError, match="settings: not readable as JSON"):
        read_settings('{"classifier": ')


def test_epochs_of_ones_own_are_no_more_than_that() -> None:
    chosen = with_settings(PRESETS["default"], {"classifier": {"epochs": 5}}).classifier
    assert (chosen.epochs, chosen.min_steps) == (5, 0)
    both = {"classifier": {"epochs": 5, "min_steps": 70}}
    assert with_settings(PRESETS["default"], both).classifier.min_steps == 70
    other = with_settings(PRESETS["default"], {"classifier": {"peak": 0.02}}).classifier
    assert other.min_steps == PRESETS["default"].classifier.min_steps > 0


def test_a_setting_of_ones_own_is_not_overruled_by_the_presets() -> None:
    """What of a preset stands before another setting goes where that other one is given."""
    scripts = PRESETS["scripts"]
    lm = with_settings(scripts, {"language_model": {"factor": 1}}).language_model
    assert lm.peaks(4) == [lm.peak] * 4
    kept = with_settings(scripts, {"language_model": {"peak": 1e-3}}).language_model
    assert kept.ratios == scripts.language_model.ratios
    both = {"language_model": {"factor": 1, "ratios": [0.1, 0.2, 0.3, 1]}}
    assert with_settings(scripts, both).language_model.peaks(4)[0] == pytest.approx(4e-4)
    constant = with_settings(scripts, {"classifier": {"schedule": "constant"}}).classifier
    assert {p.schedule for p in constant.phases(5)} == {SCHEDULES["constant"]}
    few = with_settings(PRESETS["default"], {"language_model": {"batch": 128}}).language_model
    assert (few.batch, few.min_windows) == (128, 1)
