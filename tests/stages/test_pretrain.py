"""Pretraining: it learns, in both directions, the same from the same seed."""

import math
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from ulmfit.bundle import Bundle
from ulmfit.corpus import Corpus, prepare, split_documents
from ulmfit.language_modelling import Hardware, language_model_loop
from ulmfit.model import sampled_softmax
from ulmfit.model.awd_lstm import Architecture
from ulmfit.presets import PRETRAINING
from ulmfit.run import Plan
from ulmfit.stages.pretrain import log_frequencies, pretrain, untrained
from ulmfit.text import Encoder, build_encoder

FP32 = Hardware("cpu", "fp32")
SETTINGS = replace(PRETRAINING, batch=4, bptt=10, epochs=3, peak=0.02)
Result = TypeVar("Result")


def finish(stage: Generator[Any, None, Result]) -> tuple[list[Any], Result]:
    records = []
    while True:
        try:
            records.append(next(stage))
        except StopIteration as end:
            return records, end.value


def run(corpus: Corpus, encoder: Encoder, folder: Path, **options: Any) -> tuple[list[Any], Bundle]:
    sizes = Architecture(len(encoder.vocab), 6, 8, 2)
    return finish(pretrain(corpus, encoder, sizes, SETTINGS, folder, hardware=FP32, **options))


def test_it_learns_what_follows_what(tmp_path: Path) -> None:
    """In a corpus of one repeated sentence each word tells the next."""
    texts = ["one two three four five six " * 30] * 8
    encoder = build_encoder(lambda: iter(texts))
    corpus = prepare(texts, encoder, tmp_path / "ids")
    sizes = Architecture(len(encoder.vocab), 12, 24, 1)
    settings = replace(SETTINGS, epochs=4, alpha=0.0, beta=0.0)
    _, bundle = finish(pretrain(corpus, encoder, sizes, settings, tmp_path / "run", hardware=FP32))
    assert bundle.metrics["forward"]["validation"]["loss"] < 0.25 * math.log(6)


def test_a_plan_comes_first_and_every_epoch_is_measured(
    corpus: Corpus, encoder: Encoder, tmp_path: Path
) -> None:
    records, bundle = run(corpus, encoder, tmp_path, directions=("forward", "backward"))
    assert isinstance(records[0], Plan)
    assert [r.stage for r in records if isinstance(r, Plan)] == [
        "pretraining, forward",
        "pretraining, backward",
    ]
    assert bundle.directions == ("forward", "backward")
    for direction in bundle.directions:
        history = bundle.metrics[direction]["history"]
        assert len(history) == 3
        best = bundle.metrics[direction]["validation"]
        assert best["loss"] == min(h["loss"] for h in history)
        assert best["perplexity"] == pytest.approx(math.exp(best["loss"]))
    steps = sum(r.step > 0 for r in records if hasattr(r, "step"))
    assert sum(r.steps for r in records if isinstance(r, Plan)) == steps


def test_one_seed_gives_one_model_and_another_another(
    corpus: Corpus, encoder: Encoder, tmp_path: Path
) -> None:
    models = [
        run(corpus, encoder, tmp_path / name, seed=seed)[1].weights["forward"]
        for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    ]
    assert all(torch.equal(t, models[1][n]) for n, t in models[0].items())
    assert not torch.equal(models[0]["encoder.embedding"], models[2]["encoder.embedding"])


def test_what_is_held_out_is_the_same_for_every_seed(corpus: Corpus, encoder: Encoder) -> None:
    """Or a model that goes on from another would be measured on texts that one has read."""
    model = untrained(Architecture(len(encoder.vocab), 6, 8, 2), SETTINGS, torch.zeros(()))
    held = []
    for seed in (0, 1):
        _, documents = language_model_loop(
            *(model, corpus, SETTINGS.phases(3), SETTINGS.optimisation(), seed, "forward", FP32)
        )
        held.append(documents.read(0, len(documents)).tolist())
    assert held[0] == held[1] and len(held[0]) > 10


def test_a_text_too_small_to_hold_anything_out_still_trains(
    encoder: Encoder, tmp_path: Path
) -> None:
    one = prepare(["good film good film good film"], encoder, tmp_path / "one")
    (held,) = split_documents(np.full(2, 5), 0.1)[1]
    texts = ["good " * 30] * 2
    texts[held] = ""
    emptied = prepare(texts, encoder, tmp_path / "emptied")
    assert split_documents(emptied.lengths, 0.1)[1].tolist() == [held]
    for corpus in (one, emptied):
        _, bundle = run(corpus, encoder, corpus.folder / "run")
        assert bundle.metrics["forward"]["validation"] == {}
        assert all(bool(t.isfinite().all()) for t in bundle.weights["forward"].values())


def test_a_budget_of_steps_is_kept(corpus: Corpus, encoder: Encoder, tmp_path: Path) -> None:
    records, _ = run(corpus, encoder, tmp_path, max_steps=2)
    assert [r.total for r in records if hasattr(r, "total")] == [6] * 6
    assert np.isfinite([r.loss for r in records if hasattr(r, "loss")]).all()


def test_the_bias_begins_at_how_common_words_are(corpus: Corpus, encoder: Encoder) -> None:
    """Counted one by one, and blocks of the count do not matter."""
    size = len(encoder.vocab)
    counts = [1 + sum(int(i) == word for i in corpus.ids) for word in range(size)]
    wanted = [math.log(count / (len(corpus.ids) + size)) for count in counts]
    assert log_frequencies(corpus, size).tolist() == pytest.approx(wanted, rel=1e-5)


def test_it_learns_with_a_sampled_softmax_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of the rare words are drawn a step; evaluation is over all of them."""
    monkeypatch.setattr(sampled_softmax, "HEAD", 10)
    monkeypatch.setattr(sampled_softmax, "SAMPLE", 2)
    texts = ["one two three four five six " * 30] * 8
    encoder = build_encoder(lambda: iter(texts))
    corpus = prepare(texts, encoder, tmp_path / "ids")
    sizes = Architecture(len(encoder.vocab), 12, 24, 1)
    settings = replace(SETTINGS, epochs=4, alpha=0.0, beta=0.0, softmax="sampled")
    _, bundle = finish(pretrain(corpus, encoder, sizes, settings, tmp_path / "run", hardware=FP32))
    assert bundle.metrics["forward"]["validation"]["loss"] < 0.25 * math.log(6)
