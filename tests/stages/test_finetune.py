"""Fine-tuning the language model: every preset runs; vocabularies are matched by word."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus
from ulmfit.errors import InputError
from ulmfit.language_modelling import Hardware
from ulmfit.presets import PRESETS
from ulmfit.run import Validated
from ulmfit.stages.finetune import finetune, finetuning_loop, with_vocabulary
from ulmfit.stream_task import stream_nats
from ulmfit.text import Encoder, Vocab

FP32 = Hardware("cpu", "fp32")
Result = TypeVar("Result")


def finish(stage: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    records = []
    while True:
        try:
            records.append(next(stage))
        except StopIteration as end:
            return records, end.value


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(
    name: str, tiny: Bundle, corpus: Corpus, encoder: Encoder, tmp_path: Path
) -> None:
    whole = PRESETS[name].language_model
    settings = replace(whole, epochs=min(2, whole.epochs))
    records, bundle = finish(
        finetune(tiny, corpus, encoder, settings, tmp_path, hardware=FP32, preset=name)
    )
    epochs = sum(phase.epochs for phase in settings.phases(4))
    assert sum(isinstance(r, Validated) for r in records) == epochs
    assert bundle.preset == name and bundle.directions == ("forward",)
    before, after = tiny.weights["forward"], bundle.weights["forward"]
    assert before.keys() == after.keys()
    assert all(bool(t.isfinite().all()) for t in after.values())
    assert not torch.equal(before["encoder.embedding"], after["encoder.embedding"])


def test_both_directions_learn_each_from_its_own(
    tiny: Bundle, corpus: Corpus, encoder: Encoder, tmp_path: Path
) -> None:
    settings = replace(PRESETS["v2"].language_model, epochs=1, batch=4)
    _, bundle = finish(
        finetune(
            tiny,
            corpus,
            encoder,
            settings,
            tmp_path,
            directions=("forward", "backward"),
            hardware=FP32,
        )
    )
    bias = {d: bundle.weights[d]["decoder_bias"] for d in bundle.directions}
    assert not torch.equal(bias["forward"], bias["backward"])


def test_words_move_by_name_and_new_ones_take_the_mean(tiny: Bundle, encoder: Encoder) -> None:
    words = encoder.vocab.tokens
    moved_words = [*words[:8], "unheard", *reversed(words[8:])]
    other = Encoder(encoder.tokenizer, Vocab(moved_words))
    moved = with_vocabulary(tiny, other)
    assert moved.architecture.vocabulary == len(moved_words)
    for direction in tiny.directions:
        for name in ("encoder.embedding", "decoder_bias"):
            old, new = tiny.weights[direction][name], moved.weights[direction][name]
            for word in words:
                assert torch.equal(new[moved_words.index(word)], old[words.index(word)])
            torch.testing.assert_close(new[8], old.mean(0))
        w_hh = "encoder.layers.0.w_hh"
        assert torch.equal(moved.weights[direction][w_hh], tiny.weights[direction][w_hh])
    assert tiny.architecture.vocabulary == len(words), "the old bundle is as it was"


def test_a_direction_that_is_not_there_is_told_before_any_work(
    tiny: Bundle, corpus: Corpus, encoder: Encoder, tmp_path: Path
) -> None:
    forward = replace(tiny, weights={"forward": tiny.weights["forward"]})
    settings = PRESETS["v2"].language_model
    stage = finetune(forward, corpus, encoder, settings, tmp_path, directions=("backward",))
    with pytest.raises(InputError, match="holds no backward model"):
        next(stage)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_bias_begins_at_the_new_texts_words(
    direction: Direction, tiny: Bundle, corpus: Corpus, encoder: Encoder
) -> None:
    plain = replace(PRESETS["default"].language_model, match_frequencies=False)
    told = replace(plain, match_frequencies=True)
    nats = []
    for settings in (plain, told):
        loop = finetuning_loop(tiny, corpus, encoder, settings, direction=direction, hardware=FP32)
        documents = corpus.documents(backward=direction == "backward")
        total, count = stream_nats(loop.task.model, documents, "fp32")
        nats.append(total / count)
    assert nats[1] < nats[0] - 0.1


@pytest.mark.parametrize("name", ["v1", "v2", "scripts"])
def test_the_papers_presets_move_rows_and_nothing_else(name: str) -> None:
    assert not PRESETS[name].language_model.match_frequencies
