"""Passes over the user's texts that tell how far they are and which rows they skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from ulmfit.corpus import Corpus, prepare
from ulmfit.pipeline.encoding import TextSource
from ulmfit.pipeline.runs import Note, Texts
from ulmfit.text.encoder import Encoder

Result = TypeVar("Result")
SECONDS = 0.5  # between two looks at a pass
SHOWN = 5  # skipped rows told one by one


class _Stopped(Exception):
    """The pass is not wanted any more."""


def counted(
    what: str, texts: TextSource, work: Callable[[TextSource], Result], total: int | None = None
) -> Generator[Texts, None, tuple[Result, int]]:
    """Run `work` on `texts` in a thread, yielding how many of them it has taken.

    Args:
        what: the pass, for a person.
        texts: the source.
        work: gets the same source, counted.
        total: how many texts there are, if that is known.

    Returns:
        What `work` returned, and how many texts it took; its exceptions are raised here.
    """
    done = 0
    stop = threading.Event()

    def watched() -> Iterator[str]:
        nonlocal done
        done = 0
        for text in texts():
            if stop.is_set():
                raise _Stopped
            yield text
            done += 1

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, watched)
        try:
            while wait([future], SECONDS).not_done:
                yield Texts(what, done, total)
        finally:
            stop.set()
        return future.result(), done


def encode(
    texts: TextSource, encoder: Encoder, folder: Path, workers: int, total: int | None = None
) -> Generator[Texts | Note, None, Corpus]:
    """Texts to ids in `folder`/corpus, unless an earlier try did it; the figures in a note."""
    corpus, _ = yield from counted(
        "turning texts into ids",
        texts,
        lambda counted_texts: prepare(counted_texts(), encoder, folder / "corpus", workers),
        total,
    )
    stats = corpus.stats
    yield Note(
        f"{stats.documents:,} texts, {stats.tokens:,} tokens, vocabulary {len(encoder.vocab):,}, "
        f"{stats.unknown_rate:.2%} of tokens not in it"
    )
    return corpus


def told(skipped: list[str]) -> Iterator[Note]:
    """A note for each of the first rows skipped, and how many more there were."""
    for message in skipped[:SHOWN]:
        yield Note(f"skipped: {message}")
    if len(skipped) > SHOWN:
        yield Note(f"skipped {len(skipped) - SHOWN:,} more rows")


def size_of(corpus: Corpus) -> dict[str, int]:
    """What a bundle's provenance tells of the texts that were read."""
    stats = corpus.stats
    return {"documents": stats.documents, "tokens": stats.tokens, "words": stats.words}
