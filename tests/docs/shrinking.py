"""The documentation's commands as they stand, made quick: tiny language models, single epochs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from ulmfit import bundle as bundles
from ulmfit import presets, pretrained
from ulmfit.bundle import Bundle
from ulmfit.demo import load_messages
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.pipeline import inputs, pretraining
from ulmfit.text import build_encoder

SIZES = 16, 16, 2  # embedding, hidden, layers


def tiny(vocabulary: int) -> Architecture:
    """Of as many words."""
    return Architecture(vocabulary, *SIZES)


def embed(folder: Path) -> None:
    """A tiny, unlearned language model under the name of each embedded one."""
    texts = load_messages()[0].texts
    encoder = build_encoder(lambda: iter(texts), min_count=2)
    for told in pretrained.models():
        torch.manual_seed(0)
        weights = {
            direction: LanguageModel(AWDLSTM(tiny(len(encoder.vocab)), Dropouts())).state_dict()
            for direction in told["directions"]
        }
        made = Bundle("language-model", tiny(len(encoder.vocab)), encoder, weights)
        bundles.save(made, folder / told["name"], "")


def shrink(embedded: Path, put: Callable[[object, str, object], None]) -> None:
    """Put the tiny in the place of the large, by `setattr` or the like."""
    put(pretrained, "HERE", embedded)
    put(inputs, "HERE", embedded)
    put(presets, "PRESETS", {name: once(p) for name, p in presets.PRESETS.items()})
    put(pretraining, "architecture", lambda options, start, words: tiny(words))


def once(preset: presets.Preset) -> presets.Preset:
    """A preset with one epoch in its last phase and little that keeps it from learning fast.

    What the pages print hangs on these values and not on the preset's.
    """
    classifier = replace(
        preset.classifier,
        **{"epochs": 1, "min_steps": 0, "batch": 8, "peak": 0.005, "factor": 1.0},
        dropouts=Dropouts(0.1, 0.1, 0.1, 0.05, 0.1),  # without, one more bit changes the answers
        head_dropouts=(0, 0),
    )
    language_model = replace(
        preset.language_model,
        **{"epochs": 1, "batch": 8, "softmax": "full", "match_frequencies": False},
        dropouts=presets.SCRIPTS.language_model.dropouts,
    )
    return replace(preset, language_model=language_model, classifier=classifier)
