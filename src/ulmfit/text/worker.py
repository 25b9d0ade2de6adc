"""A process that works on the chunks that its parent gives it (`parallel.py`)."""

import os
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import IO, Any

_HEAD = 8  # bytes that tell a message's length


def main(mark: bytes) -> None:
    """Write `mark`; read a job and then chunks until they end; answer each."""
    requests, answers = _own(0, "rb"), _own(1, "wb")
    warnings.simplefilter("ignore")  # what there is to be told of this machine, the parent tells
    try:
        answers.write(mark)
        work, tool = receive(requests)
        while True:
            answers.write(_answer(work, tool, receive(requests)))
            answers.flush()
    except EOFError:
        pass
    except BrokenPipeError:  # the parent has gone
        os._exit(1)


def message(content: object) -> bytes:
    """Return the bytes of a message, for `receive`."""
    body = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(_HEAD, "little") + body


def receive(pipe: IO[bytes]) -> Any:
    """Return the next message; EOFError where it ends before its end."""
    size = int.from_bytes(_exactly(pipe, _HEAD), "little")
    return pickle.loads(_exactly(pipe, size))


def skip_to(mark: bytes, pipe: IO[bytes]) -> None:
    """Read until `mark` has come; EOFError where it does not."""
    found = b""
    while not found.endswith(mark):
        found = found[-len(mark) :] + _exactly(pipe, 1)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    found = pipe.read(size)
    if len(found) < size:
        raise EOFError
    return found


def _own(number: int, mode: str) -> IO[bytes]:
    """The pipe at stdin or stdout, for this process alone; what is printed goes to stderr."""
    pipe: IO[bytes] = os.fdopen(os.dup(number), mode)
    other = os.open(os.devnull, os.O_RDWR) if number == 0 or sys.stderr is None else 2
    os.dup2(other, number)
    return pipe


def _answer(work: Callable[[Any, list[str]], Any], tool: object, chunk: list[str]) -> bytes:
    """A message: whether it succeeded, and the result or what was raised."""
    try:
        return message((True, work(tool, chunk)))
    except BaseException as error:  # Rust's panics are no Exceptions
        told = f"In a worker process:\n{traceback.format_exc()}"
        try:
            error.add_note(told)
            return message((False, pickle.loads(pickle.dumps(error))))
        except Exception:  # some errors cannot be sent, or not be made again
            return message((False, ChildProcessError(told)))
