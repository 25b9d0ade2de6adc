"""What is searched: ranges around a preset's values, and the settings that a find stands for.

The papers are silent on such ranges. The rates reach a factor of five to either side of the
preset's, which is where the range tests of our log lie; factor 1 learns all layers alike, 4 is
beyond v1's 1/0.3; the dropouts go from a quarter (many labels) to half as much again.

A preset tells the length of the last phase twice: `epochs`, and `min_steps` for few rows (LOG, "Few
documents are read more often"). The dimension `epochs` stretches both alike, and a find keeps both.
So the first trial does what `train` does on the same rows, however many they are. `train` with a
find on more rows keeps the steps where rows are few, and the epochs where they are many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ulmfit.model.dropout import Dropouts
from ulmfit.presets import ClassifierSettings, LanguageModelSettings, Preset

MOST_DROPOUT = 0.9  # of a probability that was scaled up
DIGITS = 3  # of a value that was found: more would not matter, and is hard to read
BATCHES = (16, 32, 64)
Found = Mapping[str, float]
"""value of each dimension, by its name"""


@dataclass(frozen=True)
class Dimension:
    """A value to search for."""

    low: float
    high: float
    preset: float
    """the preset's value, the first that is tried"""
    log: bool = False
    whole: bool = False
    choices: tuple[int, ...] = ()
    """used instead of the range where there are any"""


def classifier_space(settings: ClassifierSettings) -> dict[str, Dimension]:
    """The classifier's dimensions."""
    return {
        **_learning(settings, "", Dimension(1, 4, 1)),
        "batch": Dimension(
            *(0, 0, settings.batch), choices=tuple(sorted({*BATCHES, settings.batch}))
        ),
    }


def language_model_space(settings: LanguageModelSettings) -> dict[str, Dimension]:
    """The language model's dimensions."""
    return _learning(settings, "lm_", Dimension(1, 4, 1))


def _learning(
    settings: ClassifierSettings | LanguageModelSettings, prefix: str, factor: Dimension
) -> dict[str, Dimension]:
    peak, epochs = settings.peak, settings.epochs
    return {
        f"{prefix}peak": Dimension(peak / 5, peak * 5, peak, log=True),
        f"{prefix}factor": Dimension(
            min(factor.low, settings.factor), max(factor.high, settings.factor), settings.factor
        ),
        f"{prefix}dropout": Dimension(0.25, 1.5, 1.0),
        f"{prefix}epochs": Dimension(
            max(1, epochs // 4), max(2, 2 * epochs), epochs, log=True, whole=True
        ),
    }


def settings_of(preset: Preset, found: Found) -> dict[str, Any]:
    """The settings (`ulmfit.settings`) over `preset` that a find stands for."""
    own, shared = preset.classifier, _values(found, "")
    classifier: dict[str, Any] = {
        **_learned(own, shared),
        "min_steps": round(own.min_steps * shared["epochs"] / own.epochs),
        "batch": int(shared["batch"]),
        "dropouts": _dropouts(own.dropouts, shared["dropout"]),
        "head_dropouts": [_scaled(p, shared["dropout"]) for p in own.head_dropouts],
    }
    settings: dict[str, Any] = {"preset": preset.name, "classifier": classifier}
    if "lm_peak" in found:
        base, lm = preset.language_model, _values(found, "lm_")
        dropouts = _dropouts(base.dropouts, lm["dropout"])
        settings["language_model"] = {**_learned(base, lm), "dropouts": dropouts}
        if base.ratios and lm["factor"] == base.factor:  # which would stand instead of them
            del settings["language_model"]["factor"]
    return settings


def _values(found: Found, prefix: str) -> dict[str, float]:
    """The dimensions of one stage, without its prefix."""
    mine = {n for n in found if n.startswith("lm_") == (prefix == "lm_")}
    return {name.removeprefix(prefix): found[name] for name in mine}


def _learned(own: ClassifierSettings | LanguageModelSettings, values: Found) -> dict[str, Any]:
    peak, factor = values["peak"], values["factor"]
    return {
        "peak": peak if peak == own.peak else rounded(peak),
        "factor": factor if factor == own.factor else rounded(factor),
        "epochs": int(values["epochs"]),
    }


def _dropouts(dropouts: Dropouts, factor: float) -> dict[str, float]:
    return {name: _scaled(p, factor) for name, p in asdict(dropouts).items()}


def _scaled(probability: float, factor: float) -> float:
    if factor == 1:
        return probability
    return rounded(min(MOST_DROPOUT, probability * factor))


def rounded(value: float) -> float:
    """To `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")
