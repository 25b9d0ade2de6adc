"""Texts in chunks through worker processes, in order and in bounded memory."""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import resource_tracker
from typing import Any, TypeVar

Tool = TypeVar("Tool")
Result = TypeVar("Result")

#: A chunk ends with the text that brings it to this many characters, or to this many texts.
#: Fixed, so that results do not depend on the number of workers.
CHUNK_CHARACTERS = 1 << 20
CHUNK_TEXTS = 1 << 13

#: In a worker process: what its chunks are worked on with.
_tool: Any = None


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
    work: Callable[[Tool, list[str]], Result], tool: Tool, texts: Iterable[str], *, workers: int
) -> Iterator[Result]:
    """Yield `work(tool, chunk)` for each chunk of texts, in order.

    work: a module-level function. tool: anything that pickles; sent to each process once.
    workers: processes; 1 works in this one, as does a source of a single chunk. At most two chunks
    a worker wait at any time.
    """
    source = chunks(texts)
    first = list(islice(source, 2))
    if workers <= 1 or len(first) < 2:
        yield from (work(tool, chunk) for chunk in chain(first, source))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_keep, initargs=(tool,))
    try:
        waiting: deque[Future[Result]] = deque()
        for chunk in chain(first, source):
            with _born_deaf():
                waiting.append(pool.submit(_work, work, chunk))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        with _undisturbed():
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _born_deaf() -> Iterator[None]:
    """Processes started inside are deaf to Ctrl-C while they still import, before `_keep`."""
    with _undisturbed():
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            yield
            return
        resource_tracker.ensure_running()  # started later, it would lift the block
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """An interrupt inside, whichever thread the system gives it to, is one behind the end.

    A pool that is interrupted while it starts its workers or waits for their end (a second Ctrl-C)
    would leave them behind, and Python wait for them forever.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def _keep(tool: object) -> None:
    global _tool
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    _tool = tool


def _work(work: Callable[[Any, list[str]], Result], chunk: list[str]) -> Result:
    return work(_tool, chunk)
