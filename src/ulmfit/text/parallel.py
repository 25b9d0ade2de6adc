"""Texts in chunks through worker processes, in order and in bounded memory."""

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, TypeVar, cast

from ulmfit import compiled
from ulmfit.text.worker import message, receive, skip_to

Tool = TypeVar("Tool")
Result = TypeVar("Result")

#: A chunk ends with the text that brings it to this many characters, or to this many texts.
#: Fixed, so that results do not depend on the number of workers.
CHUNK_CHARACTERS = 1 << 20
CHUNK_TEXTS = 1 << 13
_BEGIN = """
import json, signal, sys
if hasattr(signal, "SIGTTOU"):  # else `stty tostop` stops it for ever at its first complaint
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
home, places = json.loads(sys.argv[1])
sys.path[:] = [home] * (home not in sys.path) + sys.path + places
from ulmfit.text.worker import main
main(bytes.fromhex(sys.argv[2]))
"""
_HOME = str(Path(__file__).resolve().parents[2])
_POSIX = os.name == "posix"
_FLAGS = {"ignore_environment": "-E", "no_user_site": "-s", "no_site": "-S"}
_MARK = 16  # bytes that open the answers; what start-up scripts print before them is passed over
_KILLED = 9  # the signal that comes where memory ends


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

    work: a function of an importable module. tool: anything that pickles; sent to each process
    once. workers: processes; 1 works in this one, as does a source of a single chunk. At most two
    chunks a worker wait at any time.

    Raises:
        ChildProcessError: a worker ended before its time.
    """
    source = chunks(texts)
    first = list(islice(source, 2))
    if workers <= 1 or len(first) < 2 or not _can_start_others():
        yield from (work(tool, chunk) for chunk in chain(first, source))
        return
    pool = _Pool(workers, message((work, tool)))
    try:
        waiting: deque[Future[Result]] = deque()
        for chunk in chain(first, source):
            waiting.append(pool.submit(chunk))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.close()


class _Pool:
    """Processes that each do one chunk at a time, started when there is a chunk for them.

    Not multiprocessing's, whose new processes first run the script that started them: a script
    without ``if __name__ == "__main__"`` fails there, and its imports are paid for.
    """

    def __init__(self, workers: int, job: bytes) -> None:
        self._job = job
        self._threads = ThreadPoolExecutor(workers)
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._all: list[_Worker] = []
        self._process = os.getpid()

    def submit(self, chunk: list[str]) -> "Future[Any]":
        return self._threads.submit(self._done, chunk)

    def close(self) -> None:
        if os.getpid() != self._process:  # a fork's: the workers are its parent's
            return
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._end_all()  # what a thread waits for does not come any more
        self._threads.shutdown()
        self._end_all()  # what a thread has started meanwhile

    def _end_all(self) -> None:
        while self._all:
            self._all.pop().end()

    def _done(self, chunk: list[str]) -> Any:
        try:
            worker = self._idle.get_nowait()
        except Empty:
            worker = _Worker(self._job)
            self._all.append(worker)
        result = worker.ask(chunk)
        self._idle.put(worker)
        return result


class _Worker:
    """A process of its own process group: the terminal's Ctrl-C is its parent's to handle.

    It ends when its input does, so also with a parent that was killed. Python's own modules and
    this package come before whatever else lies where the parent imports from.
    """

    def __init__(self, job: bytes) -> None:
        self._mark = os.urandom(_MARK)
        flags = [flag for name, flag in _FLAGS.items() if getattr(sys.flags, name)]
        told = [json.dumps([_HOME, _places()]), self._mark.hex()]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-P", "-c", _BEGIN, *told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | compiled.environment(),
            process_group=0 if _POSIX else None,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        with suppress(OSError):  # it has ended: `ask` tells
            self._requests.write(job)

    def ask(self, chunk: list[str]) -> Any:
        try:
            self._requests.write(message(chunk))
            self._requests.flush()
            if self._mark:
                skip_to(self._mark, self._answers)
                self._mark = b""
            succeeded, result = receive(self._answers)
        except (OSError, EOFError):
            raise ChildProcessError(_ended(self._process.wait())) from None
        if not succeeded:
            raise result
        return result

    def end(self) -> None:
        """Also what it may have started, a compiler."""
        with suppress(OSError):
            if _POSIX and self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        with suppress(OSError):  # what it never read
            self._requests.close()
        self._answers.close()


def _ended(status: int) -> str:
    how = f"status {status}" if status >= 0 else f"signal {-status}"
    memory = "; was there too little memory?" if -status == _KILLED else ""
    told = f"a worker process ended before its time ({how}{memory})"
    return f"{told}; what it said stands on stderr, and with one worker none is started"


def _places() -> list[str]:
    """Where this process imports from."""
    places = []
    for place in sys.path:
        with suppress(OSError):  # the current folder is gone
            places += [os.path.abspath(place)] if isinstance(place, str) else []
    return places


def _can_start_others() -> bool:
    """Not where Python is a part of another program."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)
