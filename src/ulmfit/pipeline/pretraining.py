"""Texts -> a pretrained language model's bundle: `ulmfit pretrain`."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ulmfit import bundle as bundles
from ulmfit.budget import Budget
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus
from ulmfit.data.stream import mean_window
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pipeline.encoding import TextSource, cached_encoder, in_pieces
from ulmfit.pipeline.options import PretrainOptions, directions
from ulmfit.pipeline.passes import counted, encode, size_of, told
from ulmfit.pipeline.runs import Event, Note, opened, remaining
from ulmfit.pipeline.sessions import computing
from ulmfit.presets import PRETRAINING, LanguageModelSettings, preset
from ulmfit.pretrained import open_pretrained
from ulmfit.settings import check_depth, with_settings
from ulmfit.stages.pretrain import pretrain as pretrain_stage
from ulmfit.text.building import build_encoder
from ulmfit.text.encoder import Encoder


def pretrain(
    options: PretrainOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Pretrain a language model on general text and save it at `options.out`.

    Raises:
        InputError: the corpus or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    budget = Budget.of(options.time_budget)
    wanted = directions(options.direction, ("forward", "backward"))
    options = replace(options, corpus=options.corpus.without_labels())
    options.check()
    _asked(options)
    options.corpus.check()
    start = _start(options, wanted)
    wide = architecture(options, start, 1)
    check_depth(options.settings, wide.layers)
    sizes = wide.layer_sizes()
    with opened("pretrain", options, sizes, overwrite=overwrite, resuming=resuming) as folder:
        yield Note(computing(options.machine, sizes))
        budget = remaining(budget, folder)
        bundle = yield from _pretrain_in(folder, options, wanted, budget, start)
        bundles.save(bundle, Path(options.out), language_model_card(bundle), options.storage)
    return bundle


def _start(options: PretrainOptions, wanted: tuple[Direction, ...]) -> Bundle | None:
    """The language model to go on from, if one is wanted, found to fit."""
    if options.start is None:
        return None
    lm = open_pretrained(options.start)
    fresh = PretrainOptions(options.corpus, options.out)
    for name in ("tokenizer", "rules", "max_vocabulary", "min_count"):
        if getattr(options, name) != getattr(fresh, name):
            option = name.replace("_", "-")
            raise InputError(f"--{option}: {options.start} keeps its tokenizer and vocabulary")
    wide = architecture(options, lm, len(lm.encoder.vocab))
    for name in ("embedding", "hidden"):
        size, least = getattr(wide, name), getattr(lm.architecture, name)
        if size < least:
            raise InputError(f"--{name} {size}: {options.start} has {least}, and can only grow")
    if wide.layers != lm.architecture.layers:
        raise InputError(f"--layers {wide.layers}: {options.start} has {lm.architecture.layers}")
    return lm


def architecture(options: PretrainOptions, start: Bundle | None, words: int) -> Architecture:
    """The sizes asked for, else those of `start`, else the papers'."""
    sizes = start.architecture if start else Architecture()
    asked = {name: getattr(options, name) for name in ("embedding", "hidden", "layers")}
    given = {name: size for name, size in asked.items() if size is not None}
    return replace(sizes, vocabulary=words, **given)


def _pretrain_in(
    folder: Path,
    options: PretrainOptions,
    wanted: tuple[Direction, ...],
    budget: Budget | None,
    start: Bundle | None,
) -> Generator[Event, None, Bundle]:
    skipped: list[str] = []

    def build(texts: TextSource) -> Encoder:
        if start is not None:
            return start.encoder
        return build_encoder(
            texts,
            kind=options.tokenizer,
            rules=options.text_rules,
            max_vocab=options.max_vocabulary,
            min_count=options.min_count,
            workers=options.machine.processes,
        )

    def reading() -> Iterator[str]:
        skipped.clear()  # each pass meets the same rows
        return in_pieces(options.corpus.texts(skipped.append))

    path = folder / "tokenizer.json"
    encoder, count = yield from counted(
        "counting words", reading, partial(cached_encoder, path, build)
    )
    yield from told(skipped)
    corpus = yield from encode(
        lambda: in_pieces(options.corpus.texts()),
        *(encoder, folder, options.machine.processes, count or None),
    )
    settings, max_steps = _pretraining_settings(options, corpus)
    bundle = yield from pretrain_stage(
        corpus,
        encoder,
        architecture(options, start, len(encoder.vocab)),
        settings,
        folder,
        directions=wanted,
        seed=options.machine.seed,
        hardware=options.machine.hardware,
        max_steps=max_steps,
        budget=budget,
        start=start,
    )
    provenance: dict[str, Any] = {"corpus": size_of(corpus), "seed": options.machine.seed}
    if start is not None:
        provenance["language_model"] = start.provenance
    return replace(bundle, provenance=provenance)


def _asked(options: PretrainOptions) -> LanguageModelSettings:
    """`PRETRAINING` with the values asked for.

    Raises:
        InputError: `options.settings` says something that there is not.
    """
    values = options.settings or {}
    if others := sorted(set(values) - {"language_model"}):
        raise InputError(
            f"settings: {others[0]!r} has no place in pretraining; known here: language_model"
        )
    base = with_settings(replace(preset("default"), language_model=PRETRAINING), values)
    asked = {
        "epochs": options.epochs,
        "batch": options.batch,
        "peak": options.rate,
        "softmax": options.softmax,
    }
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    return replace(base.language_model, **given)


def _pretraining_settings(
    options: PretrainOptions, corpus: Corpus
) -> tuple[LanguageModelSettings, int | None]:
    settings = _asked(options)
    if options.tokens is None:
        return settings, None
    window = settings.batch * mean_window(settings.bptt, settings.variable_bptt)
    epochs = max(1, math.ceil(options.tokens / corpus.stats.tokens))
    steps = max(1, round(options.tokens / epochs / window))
    return replace(settings, epochs=epochs), steps
