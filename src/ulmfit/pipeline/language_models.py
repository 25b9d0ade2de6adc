"""Files -> a language model's bundle: `ulmfit pretrain` and `ulmfit finetune`."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus, prepare
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import Architecture
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pipeline.encoding import Texts as TextSource
from ulmfit.pipeline.encoding import cached_encoder, distinct, domain_encoder
from ulmfit.pipeline.options import FinetuneOptions, PretrainOptions, directions
from ulmfit.pipeline.runs import Note, Texts, begin, finish
from ulmfit.presets import PRETRAINING, LanguageModelSettings, Preset, preset
from ulmfit.pretrained import open_pretrained
from ulmfit.run import Progress
from ulmfit.stages.finetune import finetune as finetune_stage
from ulmfit.stages.pretrain import pretrain as pretrain_stage
from ulmfit.text.building import build_encoder
from ulmfit.text.encoder import Encoder

Event = Progress | Note | Texts


def pretrain(
    options: PretrainOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Pretrain a language model on general text and save it at `options.out`.

    Raises:
        InputError: the corpus or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    wanted = directions(options.direction, ("forward", "backward"))
    options.corpus.check()
    folder = begin("pretrain", options, overwrite=overwrite, resuming=resuming)
    yield Note("counting words")
    encoder = cached_encoder(
        folder / "tokenizer.json",
        lambda: build_encoder(
            options.corpus.texts,
            kind=options.tokenizer,
            rules=options.text_rules,
            max_vocab=options.max_vocabulary,
            min_count=options.min_count,
            workers=options.machine.processes,
        ),
    )
    corpus = yield from encode(options.corpus.texts, encoder, folder, options.machine.processes)
    settings, max_steps = _pretraining_settings(options, corpus)
    bundle = yield from pretrain_stage(
        corpus,
        encoder,
        Architecture(len(encoder.vocab), options.embedding, options.hidden, options.layers),
        settings,
        folder,
        directions=wanted,
        seed=options.machine.seed,
        hardware=options.machine.hardware,
        max_steps=max_steps,
        budget=_seconds(options.time_budget, len(wanted)),
    )
    provenance = {"corpus": _told(corpus), "seed": options.machine.seed}
    bundle = replace(bundle, provenance=provenance)
    bundles.save(bundle, Path(options.out), language_model_card(bundle), options.storage)
    finish(folder)
    return bundle


def _pretraining_settings(
    options: PretrainOptions, corpus: Corpus
) -> tuple[LanguageModelSettings, int | None]:
    settings = replace(
        PRETRAINING,
        epochs=options.epochs or PRETRAINING.epochs,
        batch=options.batch or PRETRAINING.batch,
        peak=options.rate or PRETRAINING.peak,
    )
    if options.tokens is None:
        return settings, None
    window = settings.batch * settings.bptt
    epochs = max(1, math.ceil(options.tokens / corpus.stats.tokens))
    steps = max(1, round(options.tokens / epochs / window))
    return replace(settings, epochs=epochs), steps


def finetune(
    options: FinetuneOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Fine-tune a language model on a user's text and save it at `options.out`.

    Raises:
        InputError: the corpus, the language model or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    chosen = with_epochs(preset(options.preset), options.epochs)
    options.corpus.check()
    lm = open_pretrained(options.lm)
    wanted = directions(options.direction, lm.directions)
    folder = begin("finetune", options, overwrite=overwrite, resuming=resuming)
    bundle = yield from finetune_on(
        lm,
        lambda: distinct(options.corpus.texts()),
        chosen,
        folder,
        options,
        wanted,
        _seconds(options.time_budget, 1),
    )
    bundles.save(bundle, Path(options.out), language_model_card(bundle))
    finish(folder)
    return bundle


def finetune_on(
    lm: Bundle,
    texts: TextSource,
    chosen: Preset,
    folder: Path,
    options: FinetuneOptions,
    wanted: tuple[Direction, ...],
    budget: float | None,
) -> Generator[Event, None, Bundle]:
    """The stage itself, on any source of texts; nothing is saved but in `folder`.

    Args:
        lm: the language model to start from.
        texts: gives the domain's texts, each time anew.
        chosen: the preset.
        folder: of the run.
        options: whose machine, language model's name and seed to use.
        wanted: directions.
        budget: seconds in all, or None.
    """
    machine = options.machine
    yield Note("counting words")
    encoder = cached_encoder(
        folder / "tokenizer.json",
        lambda: domain_encoder(
            texts,
            lm.encoder,
            chosen.max_vocabulary,
            chosen.min_count,
            chosen.keep_vocabulary,
            machine.processes,
        ),
    )
    corpus = yield from encode(texts, encoder, folder, machine.processes)
    bundle = yield from finetune_stage(
        lm,
        corpus,
        encoder,
        chosen.language_model,
        folder,
        directions=wanted,
        seed=machine.seed,
        hardware=machine.hardware,
        preset=chosen.name,
        budget=budget / len(wanted) if budget else None,
    )
    provenance = {
        "language_model": lm.provenance,
        "corpus": _told(corpus),
        "seed": machine.seed,
    }
    return replace(bundle, provenance=provenance)


def encode(
    texts: TextSource, encoder: Encoder, folder: Path, workers: int
) -> Generator[Event, None, Corpus]:
    """Texts to ids in `folder`/corpus, unless an earlier try did it; told in a note."""
    yield Note("turning texts into ids")
    corpus = prepare(texts(), encoder, folder / "corpus", workers)
    stats = corpus.stats
    yield Note(
        f"{stats.documents:,} texts, {stats.tokens:,} tokens, vocabulary {len(encoder.vocab):,}, "
        f"{stats.unknown_rate:.2%} of tokens not in it"
    )
    return corpus


def with_epochs(chosen: Preset, epochs: int | None) -> Preset:
    """The preset with another number of language-model epochs."""
    if epochs is None:
        return chosen
    if epochs < 1:
        raise InputError(f"{epochs} epochs: at least 1 is needed")
    return replace(chosen, language_model=replace(chosen.language_model, epochs=epochs))


def _seconds(minutes: float | None, parts: int) -> float | None:
    return None if minutes is None else minutes * 60 / parts


def _told(corpus: Corpus) -> dict[str, int]:
    stats = corpus.stats
    return {"documents": stats.documents, "tokens": stats.tokens, "words": stats.words}
