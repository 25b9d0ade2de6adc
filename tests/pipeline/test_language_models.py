"""`pretrain` from a start, and calls of it that are wrong, before any text is read."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ulmfit.bundle import save
from ulmfit.errors import InputError
from ulmfit.pipeline import finetune, pretrain
from ulmfit.pipeline.options import FinetuneOptions, PretrainOptions, Source
from ulmfit.pipeline.pretraining import _asked
from ulmfit.pipeline.runs import Note
from ulmfit.presets import PRETRAINING
from ulmfit.pretrained import open_pretrained
from ulmfit.run import Plan

from .conftest import MACHINE, finish

SIZES = ("embedding", "hidden", "layers", "max_vocabulary", "min_count", "epochs", "tokens")


@pytest.mark.parametrize("name", [*SIZES, "batch", "rate"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_size_that_is_none_is_refused(name: str, value: float, data: Path) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "lm"), MACHINE)
    with pytest.raises(InputError, match=f"{name} is {value}"):
        next(pretrain(replace(options, **{name: value})))
    assert [path.name for path in data.parent.iterdir()] == [data.name]


def test_a_model_goes_on_and_may_grow(data: Path, lm: Path, tmp_path: Path) -> None:
    start = open_pretrained(str(lm))
    options = PretrainOptions(
        *(Source((str(data),)), str(tmp_path / "grown"), MACHINE),
        hidden=24,
        epochs=1,
        rate=1e-9,
        start=str(lm),
    )
    grown = finish(pretrain(options))[1]
    sizes = start.architecture
    assert grown.architecture == replace(sizes, hidden=24)
    assert grown.directions == ("forward",), "the backward one would have other sizes"
    assert grown.encoder.vocab.tokens == start.encoder.vocab.tokens
    assert grown.provenance["language_model"] == start.provenance
    old = start.weights["forward"]["encoder.layers.0.w_hh"].view(4, 16, 16)
    new = grown.weights["forward"]["encoder.layers.0.w_hh"].view(4, 24, 24)
    torch.testing.assert_close(new[:, :16, :16], old, rtol=0, atol=1e-5)
    assert new[:, :16, 16:].abs().max() < 1e-5 < new[:, 16:].abs().max()


def test_a_start_gets_the_direction_that_it_lacks(data: Path, lm: Path, tmp_path: Path) -> None:
    start = open_pretrained(str(lm))
    metrics = {"forward": {"validation": {"loss": 2.0, "perplexity": 7.4}}}
    start = replace(start, weights={"forward": start.weights["forward"]}, metrics=metrics)
    save(start, tmp_path / "start", "")
    options = PretrainOptions(
        *(Source((str(data),)), str(tmp_path / "both"), replace(MACHINE, seed=5)),
        direction="backward",
        epochs=1,
        rate=1e-9,
        start=str(tmp_path / "start"),
    )
    both = finish(pretrain(options))[1]
    assert both.directions == ("forward", "backward")
    for name, weight in start.weights["forward"].items():
        assert torch.equal(both.weights["forward"][name], weight), name
        other = both.weights["backward"][name]
        words = name in ("encoder.embedding", "decoder_bias")
        assert torch.allclose(other, weight, rtol=0, atol=1e-5) == words, name
    assert both.metrics["forward"] == start.metrics["forward"]
    assert both.metrics["backward"]["validation"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"hidden": 15}, "--hidden 15: .* has 16, and can only grow"),
        ({"embedding": 2}, "--embedding 2: .* has 16"),
        ({"layers": 3}, "--layers 3: .* has 2"),
        ({"tokenizer": "subword"}, "--tokenizer: .* keeps its tokenizer"),
        ({"max_vocabulary": 100}, "--max-vocabulary: .* keeps its tokenizer and vocabulary"),
        ({"start": "nothing"}, "nothing"),
    ],
    ids=str,
)
def test_a_start_that_does_not_fit_is_refused(
    changed: dict[str, Any], told: str, data: Path, lm: Path
) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "m"), MACHINE, start=str(lm))
    with pytest.raises(InputError, match=told):
        next(pretrain(replace(options, **changed)))
    assert [path.name for path in data.parent.iterdir()] == [data.name]


def test_fine_tuning_takes_settings_and_tells_them(data: Path, lm: Path, tmp_path: Path) -> None:
    settings = {"language_model": {"peak": 0.002, "epochs": 2}}
    asked = FinetuneOptions(
        *(str(lm), Source((str(data),)), str(tmp_path / "tuned"), MACHINE), settings=settings
    )
    tuned = finish(finetune(asked))[1]
    assert len(tuned.metrics["forward"]["history"]) == 2
    assert tuned.provenance["settings"] == settings
    with pytest.raises(InputError, match="did you mean 'peak'"):
        next(finetune(replace(asked, settings={"language_model": {"peek": 1}})))


def test_pretraining_takes_settings_of_its_own(data: Path, tmp_path: Path) -> None:
    values = {"batch": 4, "peak": 0.02, "dropouts": {"weight": 0.25}, "softmax": "sampled"}
    sizes = {"embedding": 8, "hidden": 12, "layers": 1, "min_count": 1}
    options = PretrainOptions(
        Source((str(data),)), str(tmp_path / "lm"), MACHINE, settings={"language_model": values}
    )
    events, _ = finish(pretrain(replace(options, rate=0.03, **sizes)))
    (plan,) = (event for event in events if isinstance(event, Plan))
    assert plan.phases[0]["peak_rates"] == [0.03, 0.03], "an option goes before the settings"
    told = json.loads((tmp_path / "lm" / "training.jsonl").read_text().splitlines()[0])
    assert told["options"]["settings"]["language_model"]["dropouts"] == {"weight": 0.25}
    asked = _asked(options)
    assert (asked.batch, asked.softmax, asked.peak) == (4, "sampled", 0.02)
    assert asked.dropouts == replace(PRETRAINING.dropouts, weight=0.25)
    assert _asked(replace(options, settings=None)) == PRETRAINING


@pytest.mark.parametrize(
    ("name", "value"),
    [("storage", "int4"), ("tokenizer", "byte"), ("rules", "none"), ("softmax", "adaptive")],
)
def test_an_unknown_name_is_told_before_the_work(name: str, value: str, data: Path) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "lm"), MACHINE)
    with pytest.raises(InputError, match=f"{name} '{value}': choose one of "):
        next(pretrain(replace(options, **{name: value})))  # type: ignore[arg-type]
    assert [path.name for path in data.parent.iterdir()] == [data.name]


@pytest.mark.parametrize("tokenizer", ["word", "subword"])
def test_a_row_that_is_left_out_is_told_once(tokenizer: str, data: Path, tmp_path: Path) -> None:
    with data.open("ab") as file:
        file.write(b"\xff\xfe\n")
    source = Source((str(data),), skip_bad_rows=True)
    options = PretrainOptions(source, str(tmp_path / "lm"), MACHINE, tokens=50, batch=2)
    sizes = {"embedding": 4, "hidden": 6, "layers": 1, "min_count": 1, "tokenizer": tokenizer}
    events, _ = finish(pretrain(replace(options, **sizes)))
    skipped = [event.text for event in events if isinstance(event, Note) and "skip" in event.text]
    assert len(skipped) == 1, skipped


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"language_model": {"peek": 1}}, "did you mean 'peak'"),
        ({"language_model": {"batch": 0}}, "batch is 0"),
        ({"classifier": {"peak": 0.1}}, "'classifier' has no place in pretraining"),
        ({"max_vocabulary": 100}, "'max_vocabulary' has no place in pretraining"),
    ],
)
def test_settings_of_pretraining_that_are_wrong(
    settings: dict[str, Any], told: str, data: Path
) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "lm"), MACHINE)
    with pytest.raises(InputError, match=told):
        next(pretrain(replace(options, settings=settings)))
    assert [path.name for path in data.parent.iterdir()] == [data.name]


def test_tokens_and_epochs_together_are_refused(data: Path) -> None:
    options = PretrainOptions(Source((str(data),)), str(data.parent / "lm"), MACHINE)
    for one in (replace(options, tokens=50), replace(options, epochs=2)):
        one.check()
    with pytest.raises(InputError, match="--tokens 50 and --epochs 2 both say how long"):
        next(pretrain(replace(options, tokens=50, epochs=2)))
