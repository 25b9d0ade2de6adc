"""Texts in chunks through worker processes, in order and in bounded memory."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

Result = TypeVar("Result")

#: A chunk ends with the text that brings it to this many characters, or to this many texts.
#: Fixed, so that results do not depend on the number of workers.
CHUNK_CHARACTERS = 1 << 20
CHUNK_TEXTS = 1 << 13


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Group texts into lists of bounded size."""
    chunk: list[str] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text)
        if characters >= CHUNK_CHARACTERS or len(chunk) >= CHUNK_TEXTS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def map_chunks(
    work: Callable[[list[str]], Result],
    texts: Iterable[str],
    *,
    workers: int,
    start: Callable[..., None],
    start_arguments: tuple[object, ...],
) -> Iterator[Result]:
    """Yield `work(chunk)` for each chunk of texts, in order.

    work, start: module-level functions; `start(*start_arguments)` runs once in each process.
    workers: processes; 1 works in this one. At most two chunks a worker wait at any time.
    """
    if workers <= 1:
        start(*start_arguments)
        yield from map(work, chunks(texts))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=start, initargs=start_arguments)
    try:
        waiting: deque[Future[Result]] = deque()
        source = chunks(texts)
        waiting.extend(pool.submit(work, chunk) for chunk in islice(source, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(work, chunk) for chunk in islice(source, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
