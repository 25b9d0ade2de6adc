"""A user's texts -> a fine-tuned language model's bundle: `ulmfit finetune`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ulmfit import bundle as bundles
from ulmfit.budget import Budget
from ulmfit.bundle import Bundle, Direction
from ulmfit.corpus import Corpus
from ulmfit.errors import InputError
from ulmfit.pipeline.cards import language_model_card
from ulmfit.pipeline.encoding import TextSource, cached_encoder, distinct, domain_encoder, in_pieces
from ulmfit.pipeline.options import FinetuneOptions, Machine, directions
from ulmfit.pipeline.passes import counted, encode, size_of, told
from ulmfit.pipeline.runs import Event, Note, opened, remaining
from ulmfit.pipeline.sessions import computing
from ulmfit.presets import Preset, preset
from ulmfit.pretrained import open_pretrained
from ulmfit.settings import check_depth, with_settings
from ulmfit.stages.finetune import finetune as finetune_stage
from ulmfit.text.encoder import Encoder


def finetune(
    options: FinetuneOptions, *, overwrite: bool = False, resuming: bool = False
) -> Generator[Event, None, Bundle]:
    """Fine-tune a language model on a user's text and save it at `options.out`.

    Raises:
        InputError: the corpus, the language model or an option is wrong.
        OSError: the disk is full, and the like; what was done stays in the run's folder.
    """
    budget = Budget.of(options.time_budget)
    chosen = with_settings(preset(options.preset), options.settings or {})
    chosen = with_epochs(chosen, options.epochs)
    options = replace(options, corpus=options.corpus.without_labels())
    options.machine.check()
    options.corpus.check()
    lm = open_pretrained(options.lm)
    check_depth(options.settings, lm.architecture.layers)
    wanted = directions(options.direction, lm.directions)
    skipped: list[str] = []

    def texts() -> Iterator[str]:
        skipped.clear()  # each pass meets the same rows
        return options.corpus.texts(skipped.append)

    sizes = lm.architecture.layer_sizes()
    with opened("finetune", options, sizes, overwrite=overwrite, resuming=resuming) as folder:
        yield Note(computing(options.machine, sizes))
        if "classifier" in (options.settings or {}):
            yield Note("the settings of the classifier are not used here")
        budget = remaining(budget, folder)
        bundle = yield from finetune_on(lm, texts, chosen, folder, options, wanted, budget)
        yield from told(skipped)
        bundles.save(bundle, Path(options.out), language_model_card(bundle))
    return bundle


def _read_once(texts: TextSource) -> Iterator[str]:
    return distinct(in_pieces(texts()))


def finetune_on(
    lm: Bundle,
    texts: TextSource,
    chosen: Preset,
    folder: Path,
    options: FinetuneOptions,
    wanted: tuple[Direction, ...],
    budget: Budget | None,
) -> Generator[Event, None, Bundle]:
    """The stage itself, on any source of texts, each read once and long ones in pieces.

    Nothing is saved but in `folder`.

    Args:
        lm: the language model to start from.
        texts: gives the domain's texts, each time anew.
        chosen: the preset.
        folder: of the run.
        options: whose machine, language model's name and seed to use.
        wanted: directions.
        budget: of all of it, or None.
    """
    machine = options.machine
    read = partial(_read_once, texts)
    encoder, corpus = yield from encoded_domain(lm, read, chosen, folder, machine)
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
        budget=budget,
    )
    provenance = {
        "language_model": lm.provenance,
        "corpus": size_of(corpus),
        "seed": machine.seed,
    }
    if options.settings:
        provenance["settings"] = options.settings
    return replace(bundle, provenance=provenance)


def encoded_domain(
    lm: Bundle, texts: TextSource, chosen: Preset, folder: Path, machine: Machine
) -> Generator[Event, None, tuple[Encoder, Corpus]]:
    """The domain's encoder, and its texts as ids; both kept in `folder`."""

    def build(counted_texts: TextSource) -> Encoder:
        return domain_encoder(
            counted_texts,
            lm.encoder,
            chosen.max_vocabulary,
            chosen.min_count,
            chosen.keep_vocabulary,
            machine.processes,
        )

    path = folder / "tokenizer.json"
    encoder, count = yield from counted(
        "counting words", texts, partial(cached_encoder, path, build)
    )
    corpus = yield from encode(texts, encoder, folder, machine.processes, count or None)
    return encoder, corpus


def with_epochs(chosen: Preset, epochs: int | None) -> Preset:
    """The preset with another number of language-model epochs."""
    if epochs is None:
        return chosen
    if epochs < 1:
        raise InputError(f"{epochs} epochs: at least 1 is needed")
    return replace(chosen, language_model=replace(chosen.language_model, epochs=epochs))
